INSERT INTO core_config_data (scope, scope_id, path, value) VALUES
    ('default', 0, 'web/secure/base_url', 'https://safe.example.com/'),
    ('default', 0, 'web/unsecure/base_media_url', '{{secure_base_url}}files/'),
    ('default', 0, 'web/unsecure/base_link_url', '{{base_url}}'),
    ('stores', 2, 'web/unsecure/base_url', 'http://de.example.com/'),
    ('stores', 2, 'web/secure/base_url', '{{base_url}}'),
    ('stores', 2, 'web/unsecure/base_link_url', '{{secure_base_url}}');
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'A', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 2);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 1, 1), (@visibility, 0, 1, 4);
INSERT INTO catalog_product_entity_varchar (attribute_id, store_id, entity_id, value) VALUES (@url_key, 0, 1, 'a');
INSERT INTO catalog_product_entity_media_gallery (value_id, attribute_id, value, media_type) VALUES
    (1, @media_gallery, '/a.jpg', 'image');
INSERT INTO catalog_product_entity_media_gallery_value_to_entity (value_id, entity_id) VALUES (1, 1);
INSERT INTO catalog_product_entity_media_gallery_value (value_id, store_id, entity_id, label, position, disabled) VALUES
    (1, 0, 1, NULL, 1, 0);
