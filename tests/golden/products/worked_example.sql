-- Luma's hoodie: anchor tops-men shows it through hoodies, men and collections are no anchors.
UPDATE core_config_data SET value = 'http://luma.example.com/' WHERE path = 'web/unsecure/base_url';
INSERT INTO catalog_category_entity (entity_id, parent_id, path, position, level, children_count) VALUES
    (9, 2, '1/2/9', 3, 2, 2), (10, 9, '1/2/9/10', 1, 3, 1), (13, 10, '1/2/9/10/13', 1, 4, 0),
    (33, 2, '1/2/33', 4, 2, 1), (34, 33, '1/2/33/34', 1, 3, 0);
INSERT INTO catalog_category_entity_varchar (attribute_id, store_id, entity_id, value) VALUES
    (@category_url_key, 0, 9, 'men'), (@category_url_key, 0, 10, 'tops-men'),
    (@category_url_key, 0, 13, 'hoodies-and-sweatshirts-men'),
    (@category_url_key, 0, 33, 'collections'), (@category_url_key, 0, 34, 'eco-friendly');
INSERT INTO catalog_category_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@category_is_active, 0, 9, 1), (@category_is_active, 0, 10, 1), (@category_is_active, 0, 13, 1),
    (@category_is_active, 0, 33, 1), (@category_is_active, 0, 34, 1),
    (@category_is_anchor, 0, 9, 0), (@category_is_anchor, 0, 10, 1), (@category_is_anchor, 0, 13, 0),
    (@category_is_anchor, 0, 33, 0), (@category_is_anchor, 0, 34, 0);
INSERT INTO eav_attribute (attribute_id, entity_type_id, attribute_code, backend_type, is_user_defined, source_model) VALUES
    (160, 4, 'eco_collection', 'int', 1, 'Magento\\Eav\\Model\\Entity\\Attribute\\Source\\Boolean'),
    (161, 4, 'new', 'int', 1, 'Magento\\Eav\\Model\\Entity\\Attribute\\Source\\Boolean'),
    (162, 4, 'climate', 'varchar', 1, NULL),
    (163, 4, 'pattern', 'varchar', 1, NULL);
INSERT INTO eav_attribute_option (option_id, attribute_id) VALUES
    (201, 162), (202, 162), (203, 162), (204, 162), (205, 162), (210, 163);
INSERT INTO eav_attribute_option_value (option_id, store_id, value) VALUES
    (201, 0, 'All-Weather'), (202, 0, 'Cool'), (203, 0, 'Indoor'), (204, 0, 'Spring'), (205, 0, 'Windy'),
    (210, 0, 'Color-Blocked');

INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES
    (52, 'MH01-XS-Black', 'simple'), (67, 'MH01', 'configurable');
INSERT INTO catalog_product_relation (parent_id, child_id) VALUES (67, 52);
INSERT INTO catalog_product_website (product_id, website_id) VALUES (67, 1), (52, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@status, 0, 52, 1), (@visibility, 0, 52, 1),
    (@status, 0, 67, 1), (@visibility, 0, 67, 4), (160, 0, 67, 1), (161, 0, 67, 0);
INSERT INTO catalog_product_entity_varchar (attribute_id, store_id, entity_id, value) VALUES
    (@name, 0, 67, 'Chaz Kangeroo Hoodie'), (@url_key, 0, 67, 'chaz-kangeroo-hoodie'),
    (162, 0, 67, '201,202,203,204,205'), (163, 0, 67, '210'),
    (@image, 0, 67, '/m/h/mh01-gray_main.jpg'), (@small_image, 0, 67, '/m/h/mh01-gray_main.jpg'),
    (@thumbnail, 0, 67, '/m/h/mh01-gray_main.jpg');
INSERT INTO catalog_product_entity_text (attribute_id, store_id, entity_id, value) VALUES
    (@description, 0, 67, '<p>Ideal for cold-weather training.</p>'), (@material, 0, 67, '51');
INSERT INTO catalog_category_product (category_id, product_id, position) VALUES (13, 67, 0), (34, 67, 0);
INSERT INTO catalog_product_entity_media_gallery (value_id, attribute_id, value, media_type) VALUES
    (130, @media_gallery, '/m/h/mh01-gray_main.jpg', 'image'),
    (131, @media_gallery, '/m/h/mh01-gray_alt1.jpg', 'image'),
    (132, @media_gallery, '/m/h/mh01-gray_back.jpg', 'image');
INSERT INTO catalog_product_entity_media_gallery_value_to_entity (value_id, entity_id) VALUES (130, 67), (131, 67), (132, 67);
INSERT INTO catalog_product_entity_media_gallery_value (value_id, store_id, entity_id, label, position, disabled) VALUES
    (130, 0, 67, NULL, 1, 0), (131, 0, 67, NULL, 2, 0), (132, 0, 67, NULL, 3, 0);
