INSERT INTO eav_attribute_option (option_id, attribute_id) VALUES (61, @manufacturer), (62, @manufacturer);
INSERT INTO eav_attribute_option_value (option_id, store_id, value) VALUES (61, 0, 'Acme'), (61, 2, 'Akme'), (62, 2, 'Nur hier');
INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'C'), (2, 'simple', 'OTHER'), (7, 'configurable', 'P-2'), (8, 'configurable', 'P-1');
INSERT INTO catalog_product_super_link (parent_id, product_id) VALUES (7, 1), (8, 1);
INSERT INTO catalog_product_super_attribute (product_id, attribute_id, position) VALUES (7, @manufacturer, 0), (8, @color, 0);
INSERT INTO catalog_product_relation (parent_id, child_id) VALUES (8, 2);
INSERT INTO catalog_product_website (product_id, website_id) VALUES (8, 2);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@status, 0, 1, 2),
    (@color, 0, 1, 41),
    (@manufacturer, 0, 1, 61),
    (@color, 0, 2, 41);
