INSERT INTO catalog_category_entity_varchar (attribute_id, store_id, entity_id, value) VALUES
    (@category_name, 0, 22, 'Bags & more'), (@category_name, 2, 22, 'Täschchen 👜'),
    (@category_meta_title, 0, 22, 'Title'), (@category_meta_title, 2, 22, NULL),
    (@category_display_mode, 0, 22, 'PRODUCTS_AND_PAGE');
INSERT INTO catalog_category_entity_text (attribute_id, store_id, entity_id, value) VALUES
    (@category_description, 0, 22, '<p>All bags</p>'), (@category_description, 3, 22, ''),
    (@category_meta_keywords, 0, 22, 'bags\nmore'), (@category_meta_description, 2, 22, 'Nur hier');
