INSERT INTO core_config_data (scope, scope_id, path, value) VALUES
    ('default', 0, 'cataloginventory/options/stock_threshold_qty', '5 pieces'),
    ('websites', 2, 'cataloginventory/options/stock_threshold_qty', 'none'),
    ('default', 0, 'cataloginventory/item_options/min_qty', '2,5'),
    ('default', 0, 'cataloginventory/item_options/min_sale_qty', '{"32000":"1.50"}'),
    ('default', 0, 'cataloginventory/item_options/max_sale_qty', ' 40'),
    ('default', 0, 'cataloginventory/item_options/qty_increments', 'nan');
INSERT INTO cataloginventory_stock (stock_id, website_id, stock_name) VALUES (1, 0, 'Default');
INSERT INTO inventory_source (source_code, name, enabled, country_id, postcode) VALUES ('east', 'East', 1, 'DE', '1');
INSERT INTO inventory_stock (stock_id, name) VALUES (1, 'Default'), (2, 'Europe');
INSERT INTO inventory_source_stock_link (stock_id, source_code, priority) VALUES (2, 'east', 1);
INSERT INTO inventory_stock_sales_channel (type, code, stock_id) VALUES ('website', 'base', 1), ('website', 'europe', 2);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'A', 'simple'), (2, 'B', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (2, 2);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@status, 0, 1, 1), (@visibility, 0, 1, 4), (@status, 0, 2, 1), (@visibility, 0, 2, 4);
INSERT INTO cataloginventory_stock_item (product_id, stock_id, qty, is_in_stock) VALUES (1, 1, 3, 1), (2, 1, 0, 1);
INSERT INTO inventory_source_item (source_code, sku, quantity, status) VALUES ('east', 'B', 2.5, 1);
