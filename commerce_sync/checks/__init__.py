"""Can the pipeline work here: what is looked at before it starts, each answer with its mend."""
