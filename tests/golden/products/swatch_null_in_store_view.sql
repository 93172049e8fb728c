INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'HOODIE', 'configurable'), (2, 'HOODIE-B', 'simple'), (3, 'HOODIE-C', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@status, 0, 1, 1), (@visibility, 0, 1, 4), (@status, 0, 2, 1), (@status, 0, 3, 1), (@color, 0, 2, 41), (@color, 0, 3, 42);
INSERT INTO catalog_product_super_link (product_id, parent_id) VALUES (2, 1), (3, 1);
INSERT INTO catalog_product_super_attribute (product_id, attribute_id, position) VALUES (1, @color, 0);
INSERT INTO catalog_eav_attribute (attribute_id, additional_data) VALUES (@color, '{"swatch_input_type":"visual"}');
INSERT INTO eav_attribute_option_swatch (option_id, store_id, type, value) VALUES
    (41, 0, 1, '#111111'), (41, 1, 3, NULL),
    (42, 0, 1, '#0000ff'), (42, 1, 2, '/blue.jpg');
