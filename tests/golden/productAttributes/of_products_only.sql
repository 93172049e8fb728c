INSERT INTO catalog_eav_attribute (attribute_id) VALUES (@status), (@category_url_key);
DELETE FROM store WHERE store_id <> 0;
INSERT INTO store (store_id, code, website_id, group_id, name, is_active) VALUES (9, 'only', 2, 2, 'Only', 0);
