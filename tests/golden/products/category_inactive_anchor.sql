UPDATE catalog_category_entity_int SET value = 0 WHERE entity_id IN (3, 4) AND attribute_id = @category_is_active;
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'A', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 1, 1), (@visibility, 0, 1, 4);
INSERT INTO catalog_category_product (category_id, product_id, position) VALUES (5, 1, 1);
