INSERT INTO catalog_product_entity (entity_id, sku, type_id, created_at, updated_at) VALUES (1, 'A', 'simple', '2021-12-31 23:59:59', '2024-02-29 12:00:01');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 1, 1), (@visibility, 0, 1, 4);
