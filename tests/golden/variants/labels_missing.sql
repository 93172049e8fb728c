INSERT INTO eav_attribute_option (option_id, attribute_id) VALUES (61, @manufacturer), (62, @manufacturer);
INSERT INTO eav_attribute_option_value (option_id, store_id, value) VALUES (61, 0, 'Acme'), (61, 2, 'Akme'), (62, 2, 'Nur hier');
INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'C-1'), (9, 'configurable', 'P');
INSERT INTO catalog_product_super_link (parent_id, product_id) VALUES (9, 1);
INSERT INTO catalog_product_super_attribute (product_id, attribute_id, position) VALUES (9, @color, 0), (9, @manufacturer, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@color, 0, 1, 99),
    (@manufacturer, 0, 1, 62);
