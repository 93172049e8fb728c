INSERT INTO core_config_data (scope, scope_id, path, value) VALUES
    ('default', 0, 'general/locale/timezone', 'America/Los_Angeles'),
    ('websites', 2, 'general/locale/timezone', 'Europe/Berlin');
INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'FROM-15'), (2, 'simple', 'FROM-16'), (3, 'simple', 'TO-14'), (4, 'simple', 'TO-15'), (5, 'simple', 'ZERO');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2), (4, 1), (4, 2), (5, 1), (5, 2);
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (@price, 0, 1, 34.00),
    (@special_price, 0, 1, 30.00),
    (@price, 0, 2, 34.00),
    (@special_price, 0, 2, 30.00),
    (@price, 0, 3, 34.00),
    (@special_price, 0, 3, 30.00),
    (@price, 0, 4, 34.00),
    (@special_price, 0, 4, 30.00),
    (@price, 0, 5, 34.00),
    (@special_price, 0, 5, 30.00);
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
INSERT INTO catalog_product_entity_datetime (attribute_id, store_id, entity_id, value) VALUES
    (@special_from_date, 0, 1, '2024-01-15 00:00:00'),
    (@special_from_date, 0, 2, '2024-01-16 00:00:00'),
    (@special_to_date, 0, 3, '2024-01-14 00:00:00'),
    (@special_to_date, 0, 4, '2024-01-15 00:00:00'),
    (@special_from_date, 0, 5, '0000-00-00 00:00:00'),
    (@special_to_date, 0, 5, NULL);
