-- The later row, the one with the higher id, is written first.
INSERT INTO eav_attribute_option_value (value_id, option_id, store_id, value) VALUES (901, 43, 0, 'New');
INSERT INTO eav_attribute_option_value (value_id, option_id, store_id, value) VALUES (900, 43, 0, 'Old');
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'A', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 1, 1), (@visibility, 0, 1, 4);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@color, 0, 1, 43);
INSERT INTO catalog_product_entity_media_gallery (value_id, attribute_id, value) VALUES (1, @media_gallery, '/a.jpg');
INSERT INTO catalog_product_entity_media_gallery_value_to_entity (value_id, entity_id) VALUES (1, 1);
INSERT INTO catalog_product_entity_media_gallery_value (record_id, value_id, store_id, entity_id, label, position) VALUES (91, 1, 0, 1, 'New', 1);
INSERT INTO catalog_product_entity_media_gallery_value (record_id, value_id, store_id, entity_id, label, position) VALUES (90, 1, 0, 1, 'Old', 1);
