INSERT INTO store_website (website_id, code, name) VALUES (5, 'bare', NULL);
INSERT INTO store_group (group_id, website_id, name, root_category_id, code) VALUES (9, 2, 'Empty', 0, NULL), (4, 2, 'Outlet', 20, 'outlet');
INSERT INTO store (store_id, code, website_id, group_id, name, is_active) VALUES (10, 'ten', 2, 4, 'Ten', 1), (8, 'eight', 2, 4, 'Eight', 0);
