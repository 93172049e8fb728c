INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'A', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES (@status, 0, 1, 1), (@visibility, 0, 1, 4);
INSERT INTO catalog_product_entity_varchar (attribute_id, store_id, entity_id, value) VALUES
    (@name, 0, 1, 'Bag'),
    (@url_key, 0, 1, 'bag'),
    (@meta_title, 0, 1, 'Buy a bag'),
    (@meta_description, 0, 1, '');
INSERT INTO catalog_product_entity_text (attribute_id, store_id, entity_id, value) VALUES
    (@meta_keyword, 0, 1, 'bag\n gear \r\n\nleather, brown'),
    (@short_description, 0, 1, '  <b>Short</b>\n');
