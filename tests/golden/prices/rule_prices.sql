INSERT INTO customer_group (customer_group_id, customer_group_code, tax_class_id) VALUES
    (0, 'NOT LOGGED IN', 3), (1, 'General', 3), (2, 'Wholesale', 3), (3, 'Retailer', 3);
INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (1, 2);
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (@price, 0, 1, 34.00),
    (@special_price, 0, 1, 30.00);
INSERT INTO catalog_product_entity_tier_price (entity_id, all_groups, customer_group_id, qty, value, website_id, percentage_value) VALUES
    (1, 0, 2, 1, 25.00, 0, NULL),
    (1, 1, 0, 5, 28.00, 0, NULL);
INSERT INTO catalogrule_product_price (rule_date, customer_group_id, product_id, rule_price, website_id) VALUES
    ('2024-01-14', 1, 1, 27.20, 1),
    ('2024-01-14', 2, 1, 26.00, 1),
    ('2024-01-14', 9, 1, 1.00, 1),
    ('2024-01-14', NULL, 1, 2.00, 1),
    ('2024-01-15', 1, 1, 27.20, 1),
    ('2024-01-15', 2, 1, 26.00, 1),
    ('2024-01-15', 9, 1, 1.00, 1),
    ('2024-01-15', NULL, 1, 2.00, 1);
