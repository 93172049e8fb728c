INSERT INTO core_config_data (scope, scope_id, path, value) VALUES
    ('default', 0, 'currency/options/base', 'GBP'), ('websites', 2, 'currency/options/base', 'EUR'), ('stores', 2, 'currency/options/base', 'CHF');
