INSERT INTO customer_group (customer_group_id, customer_group_code, tax_class_id) VALUES (1, 'General', 3);
INSERT INTO store_website (website_id, code, name) VALUES (5, NULL, 'Nameless');
