INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (8, 'A', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (8, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 8, 1), (@visibility, 0, 8, 4);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (5, 'A', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (5, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 5, 1), (@visibility, 0, 5, 4);
INSERT INTO catalog_product_entity_varchar (attribute_id, store_id, entity_id, value) VALUES
    (@name, 0, 5, 'five'),
    (@name, 0, 8, 'eight');
