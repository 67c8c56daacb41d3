"""Requests that no client of ours sends: each is answered, soon and without a 500, and nothing is written outside the folders."""

from soak.malformed.row import Target, malformed, send_all

__all__ = ["Target", "malformed", "send_all"]
