INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'A1', 'bundle');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 1, 1), (@visibility, 0, 1, 4);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (2, 'A2', 'bundle');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (2, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 2, 1), (@visibility, 0, 2, 4);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (3, 'A3', 'bundle');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (3, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 3, 1), (@visibility, 0, 3, 4);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (4, 'A4', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (4, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 4, 1), (@visibility, 0, 4, 4);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (5, 'A5', 'downloadable');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (5, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 5, 1), (@visibility, 0, 5, 4);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (6, 'A6', 'virtual');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (6, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 6, 1), (@visibility, 0, 6, 4);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@price_type, 0, 1, 0),
    (@price_type, 0, 2, 1),
    (@price_type, 0, 3, 0),
    (@price_type, 2, 3, 1),
    (@price_type, 0, 4, 1);
