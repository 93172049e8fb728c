INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1);
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (@price, 0, 1, 34.00);
INSERT INTO catalog_product_entity_datetime (attribute_id, store_id, entity_id, value) VALUES
    (@special_from_date, 0, 1, '2024-02-01 00:00:00');
