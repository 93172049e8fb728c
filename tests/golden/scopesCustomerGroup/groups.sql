INSERT INTO customer_group (customer_group_id, customer_group_code, tax_class_id) VALUES (0, 'NOT LOGGED IN', 3), (1, 'General', 3), (2, 'Wholesale', 3);
INSERT INTO customer_group_excluded_website (customer_group_id, website_id) VALUES (1, 1), (2, 1), (2, 2), (2, 2);
