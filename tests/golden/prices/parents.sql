INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A'), (2, 'configurable', 'CONF'), (3, 'bundle', 'FIX'), (4, 'grouped', 'SET'), (5, 'bundle', 'DYN');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (4, 2), (5, 1);
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (@price, 0, 1, 34.00);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@price_type, 0, 3, 1);
INSERT INTO catalog_product_relation (parent_id, child_id) VALUES (5, 1), (4, 1), (3, 1), (2, 1);
