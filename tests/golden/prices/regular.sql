INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A'), (2, 'simple', 'B');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (1, 2), (2, 1);
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (@price, 0, 1, 34.00);
