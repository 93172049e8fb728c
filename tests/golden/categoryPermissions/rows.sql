CREATE TABLE IF NOT EXISTS magento_catalogpermissions (permission_id int unsigned PRIMARY KEY AUTO_INCREMENT,
    category_id int unsigned NOT NULL, website_id smallint unsigned NULL, customer_group_id int unsigned NULL,
    grant_catalog_category_view smallint NOT NULL, grant_catalog_product_price smallint NOT NULL, grant_checkout_items smallint NOT NULL);
DELETE FROM magento_catalogpermissions;
INSERT INTO customer_group (customer_group_id, customer_group_code, tax_class_id) VALUES (0, 'NOT LOGGED IN', 3), (1, 'General', 3), (2, 'Wholesale', 3);
INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A');
INSERT INTO catalog_category_product (category_id, product_id) VALUES (4, 1);
INSERT INTO magento_catalogpermissions (permission_id, category_id, website_id, customer_group_id, grant_catalog_category_view, grant_catalog_product_price, grant_checkout_items) VALUES
    (2, 4, 1, 0, -1, -2, 0),
    (1, 4, NULL, NULL, -2, -2, -2),
    (3, 3, 2, NULL, 0, 0, -1),
    (4, 3, 9, NULL, -1, -1, -1);
