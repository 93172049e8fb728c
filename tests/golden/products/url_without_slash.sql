INSERT INTO core_config_data (scope, scope_id, path, value) VALUES
    ('websites', 2, 'web/unsecure/base_url', 'http://eu.example.com'),
    ('stores', 2, 'web/unsecure/base_link_url', 'http://de.example.com/shop//'),
    ('websites', 2, 'web/unsecure/base_media_url', 'http://cdn.example.com/media');
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'A', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 2);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 1, 1), (@visibility, 0, 1, 4);
INSERT INTO catalog_product_entity_media_gallery (value_id, attribute_id, value, media_type) VALUES
    (1, @media_gallery, '/a.jpg', 'image');
INSERT INTO catalog_product_entity_media_gallery_value_to_entity (value_id, entity_id) VALUES (1, 1);
INSERT INTO catalog_product_entity_media_gallery_value (value_id, store_id, entity_id, label, position, disabled) VALUES
    (1, 0, 1, NULL, 1, 0);
INSERT INTO url_rewrite (url_rewrite_id, entity_type, entity_id, request_path, target_path, redirect_type, store_id) VALUES
    (1, 'product', 1, 'a.html', 'catalog/product/view/id/1', 0, 2), (2, 'product', 1, 'a.html', 'catalog/product/view/id/1', 0, 3);
