INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'bundle', 'A'), (2, 'bundle', 'B');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (2, 1);
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (@price, 0, 1, 80.00),
    (@special_price, 0, 1, 75.00),
    (@special_price, 0, 2, 90.50);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@price_type, 0, 1, 1),
    (@price_type, 1, 2, 1);
