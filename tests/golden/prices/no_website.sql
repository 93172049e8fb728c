INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A');
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (@price, 0, 1, 34.00);
