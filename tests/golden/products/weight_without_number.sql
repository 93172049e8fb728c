INSERT INTO eav_attribute (attribute_id, entity_type_id, attribute_code, backend_type) VALUES (82, 4, 'weight', 'varchar');
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'A', 'simple'), (2, 'B', 'simple'), (3, 'C', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (2, 1), (3, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@status, 0, 1, 1), (@visibility, 0, 1, 4), (@status, 0, 2, 1), (@visibility, 0, 2, 4), (@status, 0, 3, 1), (@visibility, 0, 3, 4);
INSERT INTO catalog_product_entity_varchar (attribute_id, store_id, entity_id, value) VALUES
    (82, 0, 1, 'heavy'), (82, 0, 2, '2'), (82, 0, 3, 'Infinity');
