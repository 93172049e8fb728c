INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'A1', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 1, 2), (@visibility, 0, 1, 4);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (2, 'A2', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (2, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 2, 1), (@visibility, 0, 2, 1);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (3, 'A3', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (3, 2);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@visibility, 0, 3, 4);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@status, 2, 3, 1);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (4, 'A4', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (4, 2);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 4, 1), (@visibility, 0, 4, 4);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@status, 2, 4, 2),
    (@visibility, 3, 4, 1);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (5, 'A5', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (5, 2);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 5, 1), (@visibility, 0, 5, 4);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@status, 2, 5, NULL),
    (@visibility, 3, 5, NULL);
INSERT INTO catalog_category_product (category_id, product_id, position) VALUES (6, 1, 0), (6, 2, 0), (22, 3, 0), (22, 4, 0), (22, 5, 0);
