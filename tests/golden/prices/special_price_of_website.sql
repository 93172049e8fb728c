INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A'), (2, 'simple', 'B'), (3, 'simple', 'C');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (1, 2), (2, 1), (2, 2), (3, 2);
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (@price, 0, 1, 34.00),
    (@special_price, 0, 1, 30.00),
    (@special_price, 2, 1, 29.00),
    (@price, 0, 2, 34.00),
    (@special_price, 0, 2, 30.00),
    (@special_price, 3, 2, NULL),
    (@price, 0, 3, 34.00),
    (@price, 2, 3, NULL),
    (@special_price, 0, 3, 30.00),
    (@special_price, 2, 3, 28.00),
    (@special_price, 3, 3, 27.00);
