INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'A1', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 1, 1), (@visibility, 0, 1, 1);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (2, 'A2', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (2, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 2, 1), (@visibility, 0, 2, 2);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (3, 'A3', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (3, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 3, 1), (@visibility, 0, 3, 3);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (4, 'A4', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (4, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 4, 1), (@visibility, 0, 4, 4);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (5, 'A5', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (5, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 5, 1), (@visibility, 0, 5, NULL);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (6, 'A6', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (6, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 6, 1);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (7, 'A7', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (7, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 7, 2), (@visibility, 0, 7, 4);
INSERT INTO catalog_product_entity_varchar (attribute_id, store_id, entity_id, value) VALUES
    (@name, 0, 1, 'a1'),
    (@url_key, 0, 1, 'a1'),
    (@name, 0, 2, 'a2'),
    (@url_key, 0, 2, 'a2'),
    (@name, 0, 3, 'a3'),
    (@url_key, 0, 3, 'a3'),
    (@name, 0, 4, 'a4'),
    (@url_key, 0, 4, 'a4');
