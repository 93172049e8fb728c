INSERT INTO core_config_data (scope, scope_id, path, value) VALUES ('websites', 2, 'web/unsecure/base_media_url', 'http://cdn.example.com/');
INSERT INTO catalog_category_entity_varchar (attribute_id, store_id, entity_id, value) VALUES
    (@category_image, 0, 3, '/media/catalog/category/gear.jpg'), (@category_image, 0, 4, 'pub/media/wysiwyg/bags.png'),
    (@category_image, 0, 5, '/elsewhere/b.jpg'), (@category_image, 0, 6, 'deep/below/w.jpg'), (@category_image, 0, 7, ''),
    (@category_image, 0, 22, 'bags.jpg');
