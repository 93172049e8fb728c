INSERT INTO cataloginventory_stock (stock_id, website_id, stock_name) VALUES (1, 0, 'Default');
INSERT INTO inventory_source (source_code, name, enabled, country_id, postcode) VALUES
    ('default', 'Default', 1, 'US', '0'), ('east', 'East', 1, 'DE', '1'), ('west', 'West', 1, 'DE', '2'), ('closed', 'Closed', 0, 'DE', '3');
INSERT INTO inventory_stock (stock_id, name) VALUES (1, 'Default'), (2, 'Europe'), (3, 'Nothing yet');
INSERT INTO inventory_source_stock_link (stock_id, source_code, priority) VALUES (1, 'default', 1), (2, 'east', 1), (2, 'west', 2), (2, 'closed', 3);
INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES (1, 'simple', 'A'), (2, 'simple', 'B'), (3, 'configurable', 'CONF'), (4, 'grouped', 'SET'), (5, 'bundle', 'BUN'), (6, 'configurable', 'EMPTY');
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@status, 0, 1, 1),
    (@status, 0, 2, 1),
    (@status, 0, 3, 1),
    (@status, 0, 4, 1),
    (@status, 0, 5, 1),
    (@status, 0, 6, 1);
INSERT INTO cataloginventory_stock_item (product_id, stock_id, qty, is_in_stock) VALUES
    (1, 1, 0, 1),
    (2, 1, 0, 1),
    (3, 1, 0, 1),
    (4, 1, 0, 1),
    (5, 1, 0, 1),
    (6, 1, 0, 1);
INSERT INTO inventory_source_item (source_code, sku, quantity, status) VALUES
    ('east', 'A', 2, 1),
    ('west', 'B', 3, 1),
    ('default', 'A', 1, 1);
INSERT INTO catalog_product_super_link (parent_id, product_id) VALUES (3, 1), (3, 2);
INSERT INTO catalog_product_relation (parent_id, child_id) VALUES (3, 1), (3, 2), (4, 2), (5, 1);
INSERT INTO catalog_product_link_type (link_type_id, code) VALUES (3, 'super');
INSERT INTO catalog_product_link (link_id, product_id, linked_product_id, link_type_id) VALUES (1, 4, 2, 3);
INSERT INTO catalog_product_bundle_option (option_id, parent_id, required, position, type) VALUES (1, 5, 1, 1, 'radio');
INSERT INTO catalog_product_bundle_selection (option_id, parent_product_id, product_id, selection_qty) VALUES (1, 5, 1, 1);
