"""All methods trained with one budget and judged on the same cases."""
