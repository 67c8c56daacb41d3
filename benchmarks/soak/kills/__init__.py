"""Processes killed at any moment, by the signal that none can catch: what was promised before is there after."""

from soak.kills.row import kills

__all__ = ["kills"]
