UPDATE core_config_data SET value = '{{base_url}}' WHERE path = 'web/unsecure/base_url';
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'A', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 1, 1), (@visibility, 0, 1, 4);
INSERT INTO catalog_product_entity_varchar (attribute_id, store_id, entity_id, value) VALUES (@url_key, 0, 1, 'a');
