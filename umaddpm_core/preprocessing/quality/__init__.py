"""Whether a scan is one that a model can judge."""
