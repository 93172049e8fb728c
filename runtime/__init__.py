"""Plumbing every role shares: settings, Kafka clients, the consume loop, database, HTTP, metrics, logs."""
