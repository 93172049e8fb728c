"""What the ingestion services accept, one module per service: routes, identities, request schemas."""
