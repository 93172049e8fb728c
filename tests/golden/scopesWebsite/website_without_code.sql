INSERT INTO store_website (website_id, code, name) VALUES (5, NULL, 'Nameless');
