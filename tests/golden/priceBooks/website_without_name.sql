UPDATE store_website SET name = NULL WHERE website_id = 1;
UPDATE store_website SET name = '' WHERE website_id = 2;
INSERT INTO customer_group (customer_group_id, customer_group_code) VALUES (1, 'General');
