"""Training: the engine, its configurations, and the small networks of the preprocessing."""
