DELETE FROM catalog_category_entity_varchar WHERE entity_id IN (3, 7, 21);
DELETE FROM catalog_category_entity_varchar WHERE entity_id = 22;
INSERT INTO catalog_category_entity_varchar (attribute_id, store_id, entity_id, value) VALUES
    (@category_url_key, 2, 22, 'taschen');
