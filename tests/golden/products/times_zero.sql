SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
INSERT INTO catalog_product_entity (entity_id, sku, type_id, created_at, updated_at) VALUES (1, 'A', 'simple', 0, 0);
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 1, 1), (@visibility, 0, 1, 4);
