CREATE TABLE IF NOT EXISTS magento_catalogpermissions (permission_id int unsigned PRIMARY KEY AUTO_INCREMENT,
    category_id int unsigned NOT NULL, website_id smallint unsigned NULL, customer_group_id int unsigned NULL,
    grant_catalog_category_view smallint NOT NULL, grant_catalog_product_price smallint NOT NULL, grant_checkout_items smallint NOT NULL);
DELETE FROM magento_catalogpermissions;
INSERT INTO customer_group (customer_group_id, customer_group_code, tax_class_id) VALUES (0, 'NOT LOGGED IN', 3), (1, 'General', 3), (2, 'Wholesale', 3);
INSERT INTO core_config_data (scope, scope_id, path, value) VALUES
    ('default', 0, 'catalog/magento_catalogpermissions/enabled', '1');
INSERT INTO core_config_data (scope, scope_id, path, value) VALUES
    ('default', 0, 'catalog/magento_catalogpermissions/grant_catalog_product_price', '2'),
    ('default', 0, 'catalog/magento_catalogpermissions/grant_catalog_product_price_groups', '1, 2'),
    ('default', 0, 'catalog/magento_catalogpermissions/grant_checkout_items', '0'),
    ('websites', 2, 'catalog/magento_catalogpermissions/grant_catalog_category_view', '0');
INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A'), (2, 'simple', 'B'), (3, 'simple', 'C');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (2, 2), (3, 1);
INSERT INTO catalog_category_product (category_id, product_id) VALUES (4, 1), (22, 2), (22, 3);
