UPDATE eav_attribute SET backend_type = 'varchar' WHERE attribute_id IN (@price, @special_price);
INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A'), (2, 'simple', 'B'), (3, 'simple', 'C');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (1, 2), (2, 1), (3, 1);
INSERT INTO catalog_product_entity_varchar (attribute_id, store_id, entity_id, value) VALUES
    (@price, 0, 1, '10'), (@price, 1, 1, 'on request'),
    (@price, 0, 2, '20'), (@special_price, 0, 2, 'half'),
    (@price, 0, 3, '');
