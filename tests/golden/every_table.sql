-- Behind base.sql: at least one row of every table that products are made of, whose columns an item shows.
-- 1 A and 2 B are simple, 3 HOODIE has the variants 4 (black) and 5 (blue, switched off), 6 SET is grouped of
-- A and B, 7 BOX a bundle of A and B, 8 FILM downloadable. `base` sells from stock 1, `europe` from stock 2.
SET timestamp = DEFAULT;
INSERT INTO core_config_data (scope, scope_id, path, value) VALUES
    ('default', 0, 'currency/options/base', 'USD'), ('default', 0, 'general/locale/weight_unit', 'kgs'),
    ('default', 0, 'cataloginventory/options/stock_threshold_qty', '5');
INSERT INTO customer_group (customer_group_id, customer_group_code, tax_class_id) VALUES
    (0, 'NOT LOGGED IN', 3), (1, 'General', 3), (2, 'Wholesale', 3);
INSERT INTO eav_attribute_set (attribute_set_id, entity_type_id, attribute_set_name) VALUES
    (4, 4, 'Default'), (9, 4, 'Top');
INSERT INTO tax_class (class_id, class_name, class_type) VALUES (2, 'Taxable', 'PRODUCT'), (3, 'Reduced', 'PRODUCT');
INSERT INTO eav_attribute (attribute_id, entity_type_id, attribute_code, backend_type, is_user_defined, frontend_label) VALUES
    (82, 4, 'weight', 'decimal', 0, 'Weight'), (130, 4, 'links_purchased_separately', 'int', 0, NULL),
    (132, 4, 'links_title', 'varchar', 0, NULL), (136, 4, 'tax_class_id', 'int', 0, 'Tax');
UPDATE eav_attribute SET frontend_label = 'Color' WHERE attribute_id = 93;
INSERT INTO catalog_eav_attribute (attribute_id, additional_data) VALUES (93, '{"swatch_input_type":"visual"}');
INSERT INTO eav_attribute_option_swatch (swatch_id, option_id, store_id, type, value) VALUES (1, 41, 0, 1, '#111111');
UPDATE eav_attribute_option SET sort_order = option_id - 40 WHERE attribute_id = 93;

INSERT INTO catalog_product_entity (entity_id, attribute_set_id, sku, type_id, has_options, required_options, created_at, updated_at) VALUES
    (1, 9, 'A', 'simple', 0, 0, '2024-01-01', '2024-01-02'), (2, 4, 'B', 'simple', 1, 1, '2024-01-01', '2024-01-02'),
    (3, 4, 'HOODIE', 'configurable', 1, 1, '2024-01-01', '2024-01-02'), (4, 4, 'HOODIE-B', 'simple', 0, 0, '2024-01-01', '2024-01-02'),
    (5, 4, 'HOODIE-C', 'simple', 0, 0, '2024-01-01', '2024-01-02'), (6, 4, 'SET', 'grouped', 0, 0, '2024-01-01', '2024-01-02'),
    (7, 4, 'BOX', 'bundle', 1, 1, '2024-01-01', '2024-01-02'), (8, 4, 'FILM', 'downloadable', 1, 0, '2024-01-01', '2024-01-02');
INSERT INTO catalog_product_website (product_id, website_id) VALUES
    (1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (4, 1), (4, 2), (5, 1), (6, 1), (7, 1), (8, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@color, 0, 4, 41), (@status, 2, 4, 2), (@price_type, 0, 7, 1), (136, 0, 1, 2), (130, 0, 8, 1),
    (@status, 0, 1, 1), (@status, 0, 2, 1), (@status, 0, 3, 1), (@status, 0, 4, 1), (@status, 0, 5, 2),
    (@status, 0, 6, 1), (@status, 0, 7, 1), (@status, 0, 8, 1), (@color, 0, 5, 42),
    (@visibility, 0, 1, 4), (@visibility, 0, 2, 4), (@visibility, 0, 3, 4), (@visibility, 0, 7, 4);
INSERT INTO catalog_product_entity_varchar (attribute_id, store_id, entity_id, value) VALUES
    (@name, 0, 1, 'Bag A'), (@name, 2, 1, 'Tasche A'), (@image, 0, 1, '/a.jpg'), (132, 0, 8, 'Files'), (@url_key, 0, 1, 'bag-a'),
    (@name, 0, 4, 'Black hoodie'), (@name, 0, 3, 'Hoodie'), (@name, 0, 2, 'Bag B');
INSERT INTO catalog_product_entity_text (attribute_id, store_id, entity_id, value) VALUES
    (@description, 0, 1, 'A bag'), (@material, 0, 1, '51,52');
INSERT INTO catalog_product_entity_datetime (attribute_id, store_id, entity_id, value) VALUES
    (@special_from_date, 0, 1, '2024-01-10'), (@special_to_date, 0, 1, '2035-01-20'), (@released, 0, 1, '2023-05-01');
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (@price, 0, 1, 34), (@special_price, 0, 1, 30), (82, 0, 1, 1.25), (@special_price, 0, 7, 85), (@price, 2, 1, 36);
INSERT INTO catalog_product_entity_tier_price (value_id, entity_id, all_groups, customer_group_id, qty, value, website_id, percentage_value) VALUES
    (1, 1, 1, 0, 5, 28, 0, NULL), (2, 1, 0, 2, 1, 25, 1, NULL), (3, 1, 0, 1, 3, 0, 2, 15);
INSERT INTO catalogrule_product_price (rule_product_price_id, rule_date, customer_group_id, product_id, rule_price, website_id) VALUES
    (1, UTC_DATE() - INTERVAL 1 DAY, 1, 1, 27, 1), (2, UTC_DATE(), 1, 1, 27, 1), (3, UTC_DATE() + INTERVAL 1 DAY, 1, 1, 27, 1);
INSERT INTO catalogrule_product_price_replica (rule_product_price_id, rule_date, customer_group_id, product_id, rule_price, website_id) VALUES
    (1, UTC_DATE(), 1, 1, 27, 1);
INSERT INTO catalog_category_product (entity_id, category_id, product_id, position) VALUES (1, 5, 1, 3), (2, 22, 1, 1);
INSERT INTO url_rewrite (url_rewrite_id, entity_type, entity_id, request_path, target_path, redirect_type, store_id) VALUES
    (1, 'product', 1, 'a.html', 'catalog/product/view/id/1', 0, 1), (2, 'product', 1, 'old.html', 'a.html', 301, 1),
    (3, 'category', 5, 'c.html', 'catalog/category/view/id/5', 0, 1);

INSERT INTO catalog_product_relation (parent_id, child_id) VALUES (3, 4), (3, 5), (6, 1), (6, 2), (7, 1), (7, 2);
INSERT INTO catalog_product_super_link (link_id, product_id, parent_id) VALUES (1, 4, 3), (2, 5, 3);
INSERT INTO catalog_product_super_attribute (product_super_attribute_id, product_id, attribute_id, position) VALUES (1, 3, @color, 0);
INSERT INTO catalog_product_super_attribute_label (value_id, product_super_attribute_id, store_id, use_default, value) VALUES
    (1, 1, 0, 0, 'Colour');
INSERT INTO catalog_product_link_type (link_type_id, code) VALUES (1, 'relation'), (3, 'super'), (4, 'up_sell'), (5, 'cross_sell');
INSERT INTO catalog_product_link_attribute (product_link_attribute_id, link_type_id, product_link_attribute_code, data_type) VALUES
    (1, 1, 'position', 'int'), (2, 3, 'position', 'int'), (3, 3, 'qty', 'decimal');
INSERT INTO catalog_product_link (link_id, product_id, linked_product_id, link_type_id) VALUES
    (21, 1, 2, 1), (22, 1, 3, 5), (23, 6, 1, 3), (24, 6, 2, 3);
INSERT INTO catalog_product_link_attribute_int (value_id, product_link_attribute_id, link_id, value) VALUES (1, 2, 23, 2), (2, 2, 24, 1), (3, 1, 21, 7);
INSERT INTO catalog_product_link_attribute_varchar (value_id, product_link_attribute_id, link_id, value) VALUES (1, 1, 21, 'x');
INSERT INTO catalog_product_link_attribute_decimal (value_id, product_link_attribute_id, link_id, value) VALUES (1, 3, 23, 3), (2, 3, 24, 1);
INSERT INTO catalog_product_bundle_option (option_id, parent_id, required, position, type) VALUES (31, 7, 1, 1, 'radio'), (32, 7, 0, 2, 'select'), (33, 7, 0, 3, 'select');
INSERT INTO catalog_product_bundle_option_value (value_id, option_id, store_id, title, parent_product_id) VALUES (1, 31, 0, 'Main', 7), (2, 32, 0, 'More', 7);
INSERT INTO catalog_product_bundle_selection (selection_id, option_id, parent_product_id, product_id, position, is_default, selection_price_type, selection_price_value, selection_qty, selection_can_change_qty) VALUES
    (41, 31, 7, 2, 2, 0, 0, 5, 1, 0), (42, 31, 7, 1, 1, 1, 0, 4, 2, 0), (43, 32, 7, 1, 1, 0, 0, 1, 1, 0);
INSERT INTO catalog_product_bundle_selection_price (selection_id, website_id, selection_price_type, selection_price_value, parent_product_id) VALUES
    (41, 1, 1, 6, 7);
INSERT INTO catalog_product_option (option_id, product_id, type, is_require, sku, max_characters, file_extension, image_size_x, image_size_y, sort_order) VALUES
    (51, 2, 'drop_down', 1, NULL, NULL, NULL, NULL, NULL, 1), (52, 2, 'field', 0, 'text', 20, NULL, NULL, NULL, 2),
    (53, 2, 'file', 0, 'print', NULL, 'png', 100, 200, 3), (54, 2, 'field', 0, NULL, NULL, NULL, NULL, NULL, 4);
INSERT INTO catalog_product_option_title (option_title_id, option_id, store_id, title) VALUES (2, 52, 0, 'Text'), (1, 51, 0, 'Wrap'), (3, 53, 0, 'Print');
INSERT INTO catalog_product_option_price (option_price_id, option_id, store_id, price, price_type) VALUES (1, 52, 0, 9.5, 'fixed');
INSERT INTO catalog_product_option_type_value (option_type_id, option_id, sku, sort_order) VALUES (61, 51, 'wrap', 1), (62, 51, 'box', 2), (63, 51, 'none', 3);
INSERT INTO catalog_product_option_type_title (option_type_title_id, option_type_id, store_id, title) VALUES (1, 61, 0, 'Paper'), (2, 62, 0, 'Box');
INSERT INTO catalog_product_option_type_price (option_type_price_id, option_type_id, store_id, price, price_type) VALUES (1, 61, 0, 3, 'fixed');
INSERT INTO downloadable_link (link_id, product_id, sort_order, number_of_downloads, is_shareable, link_url, link_type, sample_url, sample_type) VALUES
    (71, 8, 1, 5, 0, 'http://x', 'url', 'http://s', 'url'), (72, 8, 2, 5, 0, 'http://y', 'url', NULL, NULL),
    (73, 8, 3, 5, 0, 'http://z', 'url', NULL, NULL);
INSERT INTO downloadable_link_title (title_id, link_id, store_id, title) VALUES (1, 71, 0, 'Part'), (2, 72, 0, 'Rest');
INSERT INTO downloadable_link_price (price_id, link_id, website_id, price) VALUES (1, 71, 0, 2);
INSERT INTO downloadable_sample (sample_id, product_id, sample_url, sample_type, sort_order) VALUES (81, 8, 'http://y', 'url', 1), (82, 8, 'http://z', 'url', 2), (83, 8, 'http://w', 'url', 3);
INSERT INTO downloadable_sample_title (title_id, sample_id, store_id, title) VALUES (1, 81, 0, 'Trailer'), (2, 82, 0, 'Teaser');

INSERT INTO catalog_product_entity_media_gallery (value_id, attribute_id, value, media_type, disabled) VALUES
    (91, @media_gallery, '/a.jpg', 'image', 0), (92, @media_gallery, '/v.jpg', 'external-video', 0),
    (93, @media_gallery, '/b.jpg', 'image', 0);
INSERT INTO catalog_product_entity_media_gallery_value_to_entity (value_id, entity_id) VALUES (91, 1), (92, 1);
INSERT INTO catalog_product_entity_media_gallery_value (record_id, value_id, store_id, entity_id, label, position, disabled) VALUES
    (1, 91, 0, 1, 'Front', 1, 0), (2, 92, 0, 1, 'Film', 2, 0);
INSERT INTO catalog_product_entity_media_gallery_value_video (value_id, store_id, provider, url, title, description, metadata) VALUES
    (92, 0, 'vimeo', 'http://v', 'Film', 'A film', 'm');
INSERT INTO catalog_product_entity_gallery (value_id, attribute_id, store_id, entity_id, position, value) VALUES (1, @media_gallery, 0, 1, 1, '/old.jpg');

INSERT INTO cataloginventory_stock (stock_id, website_id, stock_name) VALUES (1, 0, 'Default'), (2, 0, 'Other');
INSERT INTO cataloginventory_stock_item (item_id, product_id, stock_id, qty, is_in_stock) VALUES
    (1, 1, 1, 9, 1), (2, 2, 1, 0, 0), (3, 3, 1, 0, 1), (4, 4, 1, 3, 1), (6, 6, 1, 0, 1), (7, 7, 1, 0, 1), (8, 8, 1, 99, 1);
UPDATE cataloginventory_stock_item SET manage_stock = 1, use_config_manage_stock = 0, backorders = 1, use_config_backorders = 0, use_config_min_qty = 0,
    use_config_min_sale_qty = 0, use_config_max_sale_qty = 0, max_sale_qty = 50, min_sale_qty = 2, enable_qty_increments = 1, qty_increments = 2, use_config_qty_increments = 0, use_config_enable_qty_inc = 0
    WHERE product_id = 1;
INSERT INTO cataloginventory_stock_status (product_id, website_id, stock_id, qty, stock_status) VALUES (1, 0, 1, 9, 1);
INSERT INTO inventory_source (source_code, name, enabled, country_id, postcode) VALUES
    ('default', 'D', 1, 'US', '0'), ('east', 'E', 1, 'US', '0'), ('shut', 'S', 0, 'US', '0'), ('west', 'W', 1, 'US', '0');
INSERT INTO inventory_stock (stock_id, name) VALUES (1, 'Default'), (2, 'Europe');
INSERT INTO inventory_source_stock_link (link_id, stock_id, source_code, priority) VALUES (1, 1, 'default', 1), (2, 2, 'east', 1), (3, 2, 'shut', 2);
INSERT INTO inventory_stock_sales_channel (type, code, stock_id) VALUES ('website', 'base', 1), ('website', 'europe', 2);
INSERT INTO inventory_source_item (source_item_id, source_code, sku, quantity, status) VALUES
    (1, 'default', 'A', 9, 1), (2, 'east', 'a', 6, 1), (3, 'shut', 'A', 50, 1), (4, 'east', 'HOODIE-B', 2, 1);
INSERT INTO inventory_reservation (reservation_id, stock_id, sku, quantity, metadata) VALUES (1, 2, 'A', -4, '{}'), (2, 1, 'A', -9, '{}');
