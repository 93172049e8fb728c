INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'A', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 1, 1), (@visibility, 0, 1, 4);
INSERT INTO catalog_product_entity_media_gallery (value_id, attribute_id, value, media_type) VALUES
    (1, @media_gallery, '/b.jpg', 'image'),
    (2, @media_gallery, '/a.jpg', 'image'),
    (3, @media_gallery, '/z.jpg', 'image'),
    (4, @media_gallery, '/y.jpg', 'image'),
    (5, @media_gallery, '/v.jpg', 'external-video'),
    (6, @media_gallery, '/n.jpg', 'image'),
    (7, @media_gallery, '/o.jpg', 'image');
INSERT INTO catalog_product_entity_media_gallery_value_to_entity (value_id, entity_id) VALUES (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (7, 1);
INSERT INTO catalog_product_entity_media_gallery_value (value_id, store_id, entity_id, label, position, disabled) VALUES
    (1, 0, 1, NULL, 2, 0),
    (2, 0, 1, NULL, 2, 0),
    (3, 0, 1, NULL, 1, 0),
    (4, 0, 1, NULL, 10, 0),
    (5, 0, 1, NULL, 3, 0),
    (6, 0, 1, 'N', NULL, 0);
