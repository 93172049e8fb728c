INSERT INTO store_group (group_id, website_id, name, root_category_id, code) VALUES (9, 1, 'All', 1, 'all_store');
INSERT INTO store (store_id, code, website_id, group_id, name, is_active) VALUES (9, 'all', 1, 9, 'All', 1);
