INSERT INTO cataloginventory_stock (stock_id, website_id, stock_name) VALUES (1, 0, 'Default');
INSERT INTO inventory_source (source_code, name, enabled, country_id, postcode) VALUES
    ('default', 'Default', 1, 'US', '0'), ('east', 'East', 1, 'DE', '1'), ('west', 'West', 1, 'DE', '2'), ('closed', 'Closed', 0, 'DE', '3');
INSERT INTO inventory_stock (stock_id, name) VALUES (1, 'Default'), (2, 'Europe'), (3, 'Nothing yet');
INSERT INTO inventory_source_stock_link (stock_id, source_code, priority) VALUES (1, 'default', 1), (2, 'east', 1), (2, 'west', 2), (2, 'closed', 3);
INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A'), (2, 'simple', 'B'), (3, 'simple', 'C'), (4, 'simple', 'D'), (5, 'simple', 'E');
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@status, 0, 1, 1),
    (@status, 0, 2, 1),
    (@status, 0, 3, 1),
    (@status, 0, 4, 1);
INSERT INTO cataloginventory_stock_item (product_id, stock_id, qty, is_in_stock) VALUES
    (1, 1, 0, 0),
    (2, 1, 0, 0),
    (3, 1, 0, 0),
    (4, 1, 0, 0),
    (5, 1, 0, 0);
INSERT INTO inventory_source_item (source_code, sku, quantity, status) VALUES
    ('east', 'A', 4, 1),
    ('west', 'A', 3.5, 1),
    ('closed', 'A', 100, 1),
    ('east', 'B', 5, 1),
    ('west', 'B', 9, 0),
    ('east', 'C', 6, 1),
    ('closed', 'D', 8, 1),
    ('default', 'D', 1, 1),
    ('west', 'E', 2, 0);
INSERT INTO inventory_reservation (stock_id, sku, quantity) VALUES
    (2, 'B', -5),
    (2, 'C', -5);
