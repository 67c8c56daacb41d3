"""From a scan as acquired to the model's grid, and back."""
