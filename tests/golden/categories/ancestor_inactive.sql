UPDATE catalog_category_entity_int SET value = 0 WHERE attribute_id = @category_is_active AND entity_id = 3;
UPDATE catalog_category_entity_int SET value = 0 WHERE attribute_id = @category_is_active AND entity_id = 22;
INSERT INTO catalog_category_entity (entity_id, parent_id, path, position, level, children_count) VALUES (23, 22, '1/20/21/22/23', 1, 4, 0);
INSERT INTO catalog_category_entity_varchar (attribute_id, store_id, entity_id, value) VALUES (@category_url_key, 0, 23, 'small');
INSERT INTO catalog_category_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@category_is_active, 0, 23, 1), (@category_include_in_menu, 0, 23, 1), (@category_is_anchor, 0, 23, 0),
    (@category_is_active, 2, 21, 0);
