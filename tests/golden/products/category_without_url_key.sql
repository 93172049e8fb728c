DELETE FROM catalog_category_entity_varchar WHERE entity_id IN (3, 4, 7);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'A', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 1, 1), (@visibility, 0, 1, 4);
INSERT INTO catalog_category_product (category_id, product_id, position) VALUES (4, 1, 0), (5, 1, 1), (7, 1, 2);
