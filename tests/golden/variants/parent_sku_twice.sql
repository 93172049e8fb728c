INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'C'), (7, 'configurable', 'P'), (8, 'configurable', 'P');
INSERT INTO catalog_product_super_link (parent_id, product_id) VALUES (8, 1), (7, 1);
INSERT INTO catalog_product_super_attribute (product_id, attribute_id, position) VALUES (7, @color, 0), (8, @color, 0);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@color, 0, 1, 41);
