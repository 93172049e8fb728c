INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A'), (2, 'virtual', 'B'), (3, 'downloadable', 'C'), (4, 'grouped', 'D'), (5, 'bundle', 'E'), (6, 'bundle', 'F'), (7, 'configurable', 'G'), (8, 'giftcard', 'H'), (9, 'rental', 'I');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (7, 1), (8, 1), (9, 1);
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (@price, 0, 1, 5.00),
    (@price, 0, 2, 5.00),
    (@price, 0, 3, 5.00),
    (@price, 0, 4, 5.00),
    (@price, 0, 5, 5.00),
    (@price, 0, 6, 5.00),
    (@price, 0, 7, 5.00),
    (@price, 0, 8, 5.00),
    (@price, 0, 9, 5.00);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@price_type, 0, 5, 1),
    (@price_type, 0, 6, 0);
