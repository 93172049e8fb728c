INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'FILM', 'downloadable'), (2, 'SONG', 'downloadable');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (2, 1);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@status, 0, 1, 1), (@visibility, 0, 1, 4), (@status, 0, 2, 1), (@visibility, 0, 2, 4);

-- 71 has a title and a price, 72 neither, 73 a title that is NULL and one of another store view.
INSERT INTO downloadable_link (link_id, product_id, sort_order, number_of_downloads) VALUES
    (71, 1, 1, 5), (72, 1, 2, NULL), (73, 1, 3, 0), (74, 2, 1, 0);
INSERT INTO downloadable_link_title (link_id, store_id, title) VALUES
    (71, 0, 'Part'), (73, 0, NULL), (73, 2, 'Teil'), (74, 0, 'Track');
INSERT INTO downloadable_link_price (link_id, website_id, price) VALUES (71, 0, 2);
-- 82 has no title, 83 one that is NULL.
INSERT INTO downloadable_sample (sample_id, product_id, sort_order) VALUES (81, 1, 1), (82, 1, 2), (83, 1, 3);
INSERT INTO downloadable_sample_title (sample_id, store_id, title) VALUES (81, 0, 'Trailer'), (83, 0, NULL);
