INSERT INTO customer_group (customer_group_id, customer_group_code, tax_class_id) VALUES
    (0, 'NOT LOGGED IN', 3), (1, 'General', 3), (2, 'Wholesale', 3), (3, 'Retailer', 3);
INSERT INTO core_config_data (scope, scope_id, path, value) VALUES
    ('default', 0, 'general/locale/timezone', 'Mars/Olympus'),
    ('websites', 2, 'general/locale/timezone', 'Europe/Berlin');
INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A'), (2, 'simple', 'B'), (3, 'simple', 'C');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (1, 2), (2, 1), (3, 1);
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (@special_price, 0, 1, 30.00),
    (@special_price, 0, 2, 30.00);
INSERT INTO catalog_product_entity_datetime (attribute_id, store_id, entity_id, value) VALUES
    (@special_from_date, 0, 1, '2024-01-10 00:00:00'),
    (@special_to_date, 0, 1, '2024-01-19 00:00:00');
INSERT INTO catalogrule_product_price (rule_date, customer_group_id, product_id, rule_price, website_id) VALUES
    ('2024-01-14', 1, 3, 5.00, 1);
