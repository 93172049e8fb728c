INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A'), (2, 'simple', 'B'), (3, 'simple', 'C');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (2, 1), (3, 1);
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (@price, 0, 1, 34.00),
    (@special_price, 0, 1, 30.00),
    (@price, 0, 2, 34.00),
    (@special_price, 0, 2, 0.00),
    (@price, 0, 3, 34.00),
    (@special_price, 0, 3, NULL);
