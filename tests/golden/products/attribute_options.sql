INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'A', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 2);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 1, 1), (@visibility, 0, 1, 4);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@color, 0, 1, 41);
INSERT INTO catalog_product_entity_text (attribute_id, store_id, entity_id, value) VALUES
    (@material, 0, 1, '53,51,52');
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (2, 'B', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (2, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 2, 1), (@visibility, 0, 2, 4);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@color, 0, 2, 43);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (3, 'C', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (3, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 3, 1), (@visibility, 0, 3, 4);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@color, 0, 3, 999);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (4, 'D', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (4, 2);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 4, 1), (@visibility, 0, 4, 4);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@color, 0, 4, 41),
    (@color, 2, 4, 42);
