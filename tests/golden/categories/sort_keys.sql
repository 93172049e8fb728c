INSERT INTO core_config_data (scope, scope_id, path, value) VALUES ('stores', 2, 'catalog/frontend/default_sort_by', 'price');
INSERT INTO catalog_category_entity_text (attribute_id, store_id, entity_id, value) VALUES
    (@category_available_sort_by, 0, 22, 'name,price'), (@category_available_sort_by, 0, 7, 'name,price');
INSERT INTO catalog_category_entity_varchar (attribute_id, store_id, entity_id, value) VALUES
    (@category_default_sort_by, 0, 7, 'price'), (@category_default_sort_by, 0, 6, 'name');
