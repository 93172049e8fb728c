DELETE FROM catalog_category_entity_int WHERE entity_id = 3;
INSERT INTO catalog_category_entity (entity_id, parent_id, path, position, level, children_count) VALUES (31, 99, '1/2/99/31', 4, 3, 0);
INSERT INTO catalog_category_entity_varchar (attribute_id, store_id, entity_id, value) VALUES (@category_url_key, 0, 31, 'orphan');
INSERT INTO catalog_category_entity_int (attribute_id, store_id, entity_id, value) VALUES (@category_is_active, 0, 31, 1);
