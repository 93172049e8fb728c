UPDATE catalog_category_entity_int SET value = 0 WHERE attribute_id = @category_include_in_menu AND entity_id = 3;
DELETE FROM catalog_category_entity_int WHERE attribute_id = @category_include_in_menu AND entity_id = 21;
