INSERT INTO core_config_data (scope, scope_id, path, value) VALUES
    ('default', 0, 'cataloginventory/item_options/backorders', '1');
INSERT INTO cataloginventory_stock (stock_id, website_id, stock_name) VALUES (1, 0, 'Default');
INSERT INTO inventory_source (source_code, name, enabled, country_id, postcode) VALUES
    ('default', 'Default', 1, 'US', '0'), ('east', 'East', 1, 'DE', '1'), ('west', 'West', 1, 'DE', '2'), ('closed', 'Closed', 0, 'DE', '3');
INSERT INTO inventory_stock (stock_id, name) VALUES (1, 'Default'), (2, 'Europe'), (3, 'Nothing yet');
INSERT INTO inventory_source_stock_link (stock_id, source_code, priority) VALUES (1, 'default', 1), (2, 'east', 1), (2, 'west', 2), (2, 'closed', 3);
INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A'), (2, 'simple', 'B'), (3, 'simple', 'C'), (4, 'simple', 'D'), (5, 'simple', 'E'), (6, 'simple', 'F'), (7, 'simple', 'G');
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@status, 0, 1, 1),
    (@status, 0, 2, 1),
    (@status, 0, 3, 1),
    (@status, 0, 4, 1),
    (@status, 0, 5, 1),
    (@status, 0, 6, 1),
    (@status, 0, 7, 1);
INSERT INTO cataloginventory_stock_item (product_id, stock_id, qty, is_in_stock, use_config_manage_stock, manage_stock, use_config_backorders, backorders, use_config_min_qty, min_qty) VALUES
    (1, 1, 1, 1, 1, 1, 1, 0, 1, 0),
    (2, 1, 1, 1, 0, 0, 1, 0, 1, 0),
    (3, 1, 1, 1, 0, 1, 0, 1, 0, 0),
    (4, 1, 1, 1, 0, 1, 0, 1, 0, 5),
    (5, 1, 1, 1, 0, 1, 0, 1, 1, 0),
    (7, 1, 1, 1, 0, 1, 1, 1, 0, 0);
INSERT INTO inventory_source_item (source_code, sku, quantity, status) VALUES
    ('east', 'A', 1, 1),
    ('east', 'B', 1, 1),
    ('east', 'C', 1, 1),
    ('east', 'D', 1, 1),
    ('east', 'E', 1, 1),
    ('east', 'F', 1, 1),
    ('east', 'G', 1, 1);
