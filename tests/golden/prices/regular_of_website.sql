INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A'), (2, 'simple', 'B'), (3, 'simple', 'C');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (1, 2), (2, 2), (3, 1), (3, 2);
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (@price, 0, 1, 34.00),
    (@price, 2, 1, 31.00),
    (@price, 0, 2, 20.00),
    (@price, 3, 2, 18.00),
    (@price, 2, 2, 19.00),
    (@price, 0, 3, 50.00),
    (@price, 2, 3, 45.00),
    (@price, 3, 3, NULL),
    (@price, 1, 3, NULL);
