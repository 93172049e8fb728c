INSERT INTO core_config_data (scope, scope_id, path, value) VALUES
    ('default', 0, 'general/locale/timezone', 'America/Los_Angeles'),
    ('websites', 2, 'general/locale/timezone', 'Europe/Berlin');
INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A'), (2, 'simple', 'B');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (1, 2), (2, 2);
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (@price, 0, 1, 34.00),
    (@special_price, 0, 1, 30.00),
    (@price, 0, 2, 34.00),
    (@special_price, 0, 2, 30.00);
INSERT INTO catalog_product_entity_datetime (attribute_id, store_id, entity_id, value) VALUES
    (@special_from_date, 0, 1, '2024-02-01 00:00:00'),
    (@special_from_date, 2, 1, '2024-01-10 00:00:00'),
    (@special_to_date, 0, 2, '2024-01-01 00:00:00'),
    (@special_to_date, 3, 2, NULL);
