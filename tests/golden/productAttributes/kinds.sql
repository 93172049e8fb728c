DELETE FROM store WHERE store_id IN (2, 3);
INSERT INTO eav_attribute (attribute_id, entity_type_id, attribute_code, backend_type, frontend_input, frontend_class) VALUES
    (401, 4, 'boolean_int', 'int', 'boolean', NULL),
    (402, 4, 'boolean_text', 'varchar', 'boolean', NULL),
    (403, 4, 'has_options', 'static', 'text', NULL),
    (404, 4, 'allow_message', 'varchar', NULL, NULL),
    (405, 4, 'weight_decimal', 'decimal', 'weight', NULL),
    (406, 4, 'price_decimal', 'decimal', 'price', NULL),
    (407, 4, 'text_int', 'int', 'text', NULL),
    (408, 4, 'select_int', 'int', 'select', NULL),
    (409, 4, 'text_varchar', 'varchar', 'text', NULL),
    (410, 4, 'digits', 'varchar', 'text', 'validate-digits'),
    (411, 4, 'number', 'varchar', 'text', 'validate-number'),
    (412, 4, 'mail', 'varchar', 'text', 'validate-email'),
    (413, 4, 'required_options', 'static', 'text', NULL),
    (414, 4, 'boolean_digits', 'int', 'boolean', 'validate-digits'),
    (415, 4, 'lines', 'varchar', 'multiline', NULL),
    (416, 4, 'many', 'text', 'multiselect', NULL);
INSERT INTO catalog_eav_attribute (attribute_id) VALUES (401), (402), (403), (404), (405), (406), (407), (408), (409), (410), (411), (412), (413), (414), (415), (416);
