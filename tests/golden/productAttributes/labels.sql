UPDATE eav_attribute SET frontend_label = 'Color', frontend_input = 'select' WHERE attribute_id = @color;
INSERT INTO catalog_eav_attribute (attribute_id) VALUES (@color);
INSERT INTO eav_attribute_label (attribute_id, store_id, value) VALUES (@color, 2, 'Farbton'), (@color, 2, 'Farbe'), (@color, 3, NULL);
