INSERT INTO customer_group (customer_group_id, customer_group_code, tax_class_id) VALUES
    (0, 'NOT LOGGED IN', 3), (1, 'General', 3), (2, 'Wholesale', 3), (3, 'Retailer', 3);
INSERT INTO core_config_data (scope, scope_id, path, value) VALUES
    ('default', 0, 'general/locale/timezone', 'America/Los_Angeles'),
    ('websites', 2, 'general/locale/timezone', 'Europe/Berlin');
INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (1, 2);
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (@price, 0, 1, 34.00);
INSERT INTO catalogrule_product_price (rule_date, customer_group_id, product_id, rule_price, website_id) VALUES
    ('2024-01-14', 1, 1, 14.00, 1),
    ('2024-01-14', 1, 1, 14.00, 2),
    ('2024-01-15', 1, 1, 15.00, 1),
    ('2024-01-15', 1, 1, 15.00, 2),
    ('2024-01-16', 1, 1, 15.00, 1),
    ('2024-01-16', 1, 1, 15.00, 2);
