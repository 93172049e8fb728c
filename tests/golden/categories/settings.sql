INSERT INTO core_config_data (scope, scope_id, path, value) VALUES ('stores', 1, 'catalog/frontend/default_sort_by', 'price');
INSERT INTO catalog_category_entity_varchar (attribute_id, store_id, entity_id, value) VALUES
    (@category_image, 0, 7, 'sale.jpg');
