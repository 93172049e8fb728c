INSERT INTO catalog_category_entity (entity_id, parent_id, path, position, level, children_count) VALUES
    (110, 21, '1/20/21/110', 1, 3, 0), (24, 21, '1/20/21/24', 2, 3, 0), (25, 21, '1/20/21/25', 3, 3, 0);
INSERT INTO catalog_category_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@category_is_active, 0, 110, 1), (@category_is_active, 0, 24, 0), (@category_is_active, 2, 24, 1),
    (@category_is_active, 2, 22, NULL);
