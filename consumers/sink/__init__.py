"""Feed records reach a target. On their way: state, dialects, batch, budget, submit, settle, stage."""
