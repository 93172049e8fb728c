INSERT INTO customer_group (customer_group_id, customer_group_code, tax_class_id) VALUES
    (0, 'NOT LOGGED IN', 3), (1, 'General', 3), (2, 'Wholesale', 3), (3, 'Retailer', 3);
INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A'), (2, 'simple', 'B');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (2, 1);
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (@price, 0, 1, 99999999999999.999999),
    (@special_price, 0, 1, 0.000001),
    (@price, 0, 2, -5.10);
INSERT INTO catalog_product_entity_tier_price (entity_id, all_groups, customer_group_id, qty, value, website_id, percentage_value) VALUES
    (1, 1, 0, 0.0001, 12345678901234.123456, 0, NULL);
INSERT INTO catalogrule_product_price (rule_date, customer_group_id, product_id, rule_price, website_id) VALUES
    ('2024-01-14', 1, 2, 33.333333, 1);
