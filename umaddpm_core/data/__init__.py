"""Cohorts, splits, the array cache and synthetic lesions."""
