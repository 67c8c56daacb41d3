"""What an administrator can set about retention, by environment variables."""

from __future__ import annotations

import math

from umaddpm_core.serving.environment import number

HOURS_VARIABLE = "UMADDPM_RETENTION_HOURS"
SESSIONS_VARIABLE = "UMADDPM_SESSIONS_MB"
SESSIONS_MB = 4096


def retention_hours() -> float:
    """How long anything that nobody asks for any more is kept outside the datastore; without the variable, for ever.

    Raises:
        InputError: it is no number.
    """
    return number(HOURS_VARIABLE, math.inf)


def sessions_megabytes() -> float:
    """The most that all sessions together may take on disk; the one used last stays even where it alone is larger.

    Raises:
        InputError: it is no number.
    """
    return number(SESSIONS_VARIABLE, SESSIONS_MB)
