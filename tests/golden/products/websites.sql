INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'A', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (1, 2);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 1, 1), (@visibility, 0, 1, 4);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (2, 'B', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (2, 2);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 2, 1), (@visibility, 0, 2, 4);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (3, 'C', 'simple');
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 3, 1), (@visibility, 0, 3, 4);
