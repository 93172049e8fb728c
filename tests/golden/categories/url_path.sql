INSERT INTO eav_attribute (attribute_id, entity_type_id, attribute_code, backend_type) VALUES (120, 3, 'url_path', 'varchar');
INSERT INTO catalog_category_entity_varchar (attribute_id, store_id, entity_id, value) VALUES
    (@category_url_key, 2, 21, 'ausruestung'), (@category_url_key, 2, 22, NULL),
    (@category_url_key, 3, 22, 'sacs');
INSERT INTO catalog_category_entity_varchar (attribute_id, store_id, entity_id, value) VALUES (120, 0, 22, 'stale/path');
