INSERT INTO cataloginventory_stock (stock_id, website_id, stock_name) VALUES (1, 0, 'Default');
INSERT INTO inventory_source (source_code, name, enabled, country_id, postcode) VALUES
    ('default', 'Default', 1, 'US', '0'), ('east', 'East', 1, 'DE', '1'), ('west', 'West', 1, 'DE', '2'), ('closed', 'Closed', 0, 'DE', '3');
INSERT INTO inventory_stock (stock_id, name) VALUES (1, 'Default'), (2, 'Europe'), (3, 'Nothing yet');
INSERT INTO inventory_source_stock_link (stock_id, source_code, priority) VALUES (1, 'default', 1), (2, 'east', 1), (2, 'west', 2), (2, 'closed', 3);
INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A'), (2, 'simple', 'B'), (3, 'simple', 'C'), (4, 'simple', 'D'), (5, 'simple', 'E'), (6, 'simple', 'F');
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@status, 0, 1, 1),
    (@status, 0, 2, 1),
    (@status, 0, 3, 1),
    (@status, 0, 4, 1),
    (@status, 0, 5, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@status, 0, 6, 2);
INSERT INTO cataloginventory_stock_item (product_id, stock_id, qty, is_in_stock) VALUES
    (1, 1, 10.5000, 1),
    (2, 1, 3.0000, 0),
    (3, 1, -4.0000, 1),
    (4, 1, 7.0000, 1),
    (6, 1, 9.0000, 1);
INSERT INTO inventory_source_item (source_code, sku, quantity, status) VALUES
    ('default', 'A', 0, 1),
    ('default', 'B', 0, 1),
    ('default', 'C', 0, 1),
    ('default', 'E', 0, 1),
    ('default', 'F', 0, 1);
INSERT INTO inventory_reservation (stock_id, sku, quantity) VALUES
    (1, 'A', -2.0000),
    (1, 'A', -1.0000),
    (1, 'A', 0.5000),
    (2, 'B', -1);
