-- What every case starts from: two websites, three store views, three small category trees, and the
-- attributes of an installation that the cases name. Times that no case gives are 2024-01-15 00:00:00.
SET timestamp = UNIX_TIMESTAMP('2024-01-15 00:00:00');

INSERT INTO store_website (website_id, code, name, default_group_id) VALUES
    (0, 'admin', 'Admin', 0), (1, 'base', 'Main Website', 1), (2, 'europe', 'Europe', 2);
INSERT INTO store_group (group_id, website_id, name, root_category_id, code, default_store_id) VALUES
    (0, 0, 'Default', 0, 'default', 0),
    (1, 1, 'Main Website Store', 2, 'main_website_store', 1),
    (2, 2, 'Europe', 20, 'europe_store', 2);
INSERT INTO store (store_id, code, website_id, group_id, name, is_active) VALUES
    (0, 'admin', 0, 0, 'Admin', 1),
    (1, 'default', 1, 1, 'Default Store View', 1),
    (2, 'german', 2, 2, 'German', 1),
    (3, 'french', 2, 2, 'French', 0);
INSERT INTO core_config_data (scope, scope_id, path, value) VALUES
    ('default', 0, 'web/unsecure/base_url', 'http://shop.example.com/');

INSERT INTO eav_entity_type (entity_type_id, entity_type_code, entity_model) VALUES
    (3, 'catalog_category', ''), (4, 'catalog_product', '');

SET @name = 73, @description = 75, @short_description = 76, @price = 77, @special_price = 78, @special_from_date = 79, @special_to_date = 80, @cost = 81, @manufacturer = 83,
    @meta_title = 84, @meta_keyword = 85, @meta_description = 86,
    @image = 87, @small_image = 88, @thumbnail = 89, @media_gallery = 90, @color = 93,
    @news_from_date = 94, @news_to_date = 95, @status = 97, @visibility = 99,
    @country_of_manufacture = 114, @url_key = 121, @price_type = 125, @swatch_image = 135,
    @material = 150, @fragile = 151, @care = 152, @serial = 153, @released = 154;
INSERT INTO eav_attribute (attribute_id, entity_type_id, attribute_code, backend_type, is_user_defined, source_model) VALUES
    (@name, 4, 'name', 'varchar', 0, NULL),
    (@description, 4, 'description', 'text', 0, NULL),
    (@short_description, 4, 'short_description', 'text', 0, NULL),
    (@price, 4, 'price', 'decimal', 0, NULL),
    (@special_price, 4, 'special_price', 'decimal', 0, NULL),
    (@special_from_date, 4, 'special_from_date', 'datetime', 0, NULL),
    (@special_to_date, 4, 'special_to_date', 'datetime', 0, NULL),
    (@meta_title, 4, 'meta_title', 'varchar', 0, NULL),
    (@meta_keyword, 4, 'meta_keyword', 'text', 0, NULL),
    (@meta_description, 4, 'meta_description', 'varchar', 0, NULL),
    (@image, 4, 'image', 'varchar', 0, NULL),
    (@small_image, 4, 'small_image', 'varchar', 0, NULL),
    (@thumbnail, 4, 'thumbnail', 'varchar', 0, NULL),
    (@swatch_image, 4, 'swatch_image', 'varchar', 0, NULL),
    (@media_gallery, 4, 'media_gallery', 'static', 0, NULL),
    (@news_from_date, 4, 'news_from_date', 'datetime', 0, NULL),
    (@news_to_date, 4, 'news_to_date', 'datetime', 0, NULL),
    (@status, 4, 'status', 'int', 0, NULL),
    (@visibility, 4, 'visibility', 'int', 0, NULL),
    (@country_of_manufacture, 4, 'country_of_manufacture', 'varchar', 0, NULL),
    (@url_key, 4, 'url_key', 'varchar', 0, NULL),
    (@price_type, 4, 'price_type', 'int', 0, NULL),
    -- Those of the merchant.
    (@cost, 4, 'cost', 'decimal', 1, NULL),
    (@manufacturer, 4, 'manufacturer', 'int', 1, NULL),
    (@color, 4, 'color', 'int', 1, 'Magento\\Eav\\Model\\Entity\\Attribute\\Source\\Table'),
    (@material, 4, 'material', 'text', 1, NULL),
    (@fragile, 4, 'fragile', 'int', 1, 'Magento\\Eav\\Model\\Entity\\Attribute\\Source\\Boolean'),
    (@care, 4, 'care', 'varchar', 1, NULL),
    (@serial, 4, 'serial', 'static', 1, NULL),
    (@released, 4, 'released', 'datetime', 1, NULL);
INSERT INTO eav_attribute_option (option_id, attribute_id) VALUES
    (41, @color), (42, @color), (43, @color), (51, @material), (52, @material), (53, @material);
INSERT INTO eav_attribute_option_value (option_id, store_id, value) VALUES
    (41, 0, 'Black'), (41, 2, 'Schwarz'),
    (42, 0, 'Blue'),
    -- 43 has no label anywhere.
    (51, 0, 'Wool'), (51, 2, 'Wolle'), (52, 0, 'Cotton'), (53, 0, 'Linen');

SET @category_name = 45, @category_is_active = 46, @category_description = 47, @category_image = 48,
    @category_meta_title = 49, @category_meta_keywords = 50, @category_meta_description = 51, @category_display_mode = 52,
    @category_is_anchor = 54, @category_available_sort_by = 67, @category_default_sort_by = 68,
    @category_include_in_menu = 69, @category_url_key = 119;
INSERT INTO eav_attribute (attribute_id, entity_type_id, attribute_code, backend_type) VALUES
    (@category_name, 3, 'name', 'varchar'),
    (@category_is_active, 3, 'is_active', 'int'),
    (@category_description, 3, 'description', 'text'),
    (@category_image, 3, 'image', 'varchar'),
    (@category_meta_title, 3, 'meta_title', 'varchar'),
    (@category_meta_keywords, 3, 'meta_keywords', 'text'),
    (@category_meta_description, 3, 'meta_description', 'text'),
    (@category_display_mode, 3, 'display_mode', 'varchar'),
    (@category_is_anchor, 3, 'is_anchor', 'int'),
    (@category_available_sort_by, 3, 'available_sort_by', 'text'),
    (@category_default_sort_by, 3, 'default_sort_by', 'varchar'),
    (@category_include_in_menu, 3, 'include_in_menu', 'int'),
    (@category_url_key, 3, 'url_key', 'varchar');

-- 1 root
-- |- 2 root of base    |- 3 gear (anchor)  |- 4 bags  |- 5 backpacks
-- |                    |                   |- 6 watches
-- |                    |- 7 sale (no anchor)
-- |- 20 root of europe |- 21 gear (anchor)  |- 22 bags
INSERT INTO catalog_category_entity (entity_id, parent_id, path, position, level, children_count) VALUES
    (1, 0, '1', 0, 0, 10), (2, 1, '1/2', 1, 1, 5),
    (3, 2, '1/2/3', 1, 2, 3), (4, 3, '1/2/3/4', 1, 3, 1), (5, 4, '1/2/3/4/5', 1, 4, 0), (6, 3, '1/2/3/6', 2, 3, 0),
    (7, 2, '1/2/7', 2, 2, 0),
    (20, 1, '1/20', 2, 1, 2), (21, 20, '1/20/21', 1, 2, 1), (22, 21, '1/20/21/22', 1, 3, 0);
INSERT INTO catalog_category_entity_varchar (attribute_id, store_id, entity_id, value) VALUES
    (@category_url_key, 0, 3, 'gear'), (@category_url_key, 0, 4, 'bags'), (@category_url_key, 0, 5, 'backpacks'),
    (@category_url_key, 0, 6, 'watches'), (@category_url_key, 0, 7, 'sale'),
    (@category_url_key, 0, 21, 'gear'), (@category_url_key, 0, 22, 'bags');
INSERT INTO catalog_category_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@category_is_active, 0, 2, 1), (@category_is_active, 0, 3, 1), (@category_is_active, 0, 4, 1),
    (@category_is_active, 0, 5, 1), (@category_is_active, 0, 6, 1), (@category_is_active, 0, 7, 1),
    (@category_is_active, 0, 20, 1), (@category_is_active, 0, 21, 1), (@category_is_active, 0, 22, 1),
    (@category_is_anchor, 0, 2, 1), (@category_is_anchor, 0, 3, 1), (@category_is_anchor, 0, 4, 0),
    (@category_is_anchor, 0, 5, 0), (@category_is_anchor, 0, 6, 0), (@category_is_anchor, 0, 7, 0),
    (@category_is_anchor, 0, 20, 1), (@category_is_anchor, 0, 21, 1), (@category_is_anchor, 0, 22, 0);
INSERT INTO catalog_category_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@category_include_in_menu, 0, 3, 1), (@category_include_in_menu, 0, 4, 1), (@category_include_in_menu, 0, 5, 1),
    (@category_include_in_menu, 0, 6, 1), (@category_include_in_menu, 0, 7, 1),
    (@category_include_in_menu, 0, 21, 1), (@category_include_in_menu, 0, 22, 1);
