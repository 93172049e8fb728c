INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'A', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 1, 1), (@visibility, 0, 1, 4);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (2, 'B', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (2, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 2, 1), (@visibility, 0, 2, 4);
INSERT INTO catalog_product_entity_media_gallery (value_id, attribute_id, value) VALUES (1, @media_gallery, '/a.jpg');
INSERT INTO catalog_product_entity_media_gallery_value_to_entity (value_id, entity_id) VALUES (1, 1), (1, 2);
INSERT INTO catalog_product_entity_media_gallery_value (value_id, store_id, entity_id, label, position) VALUES (1, 0, 1, 'One', 1), (1, 0, 2, 'Two', 2);
