"""The folder with the real scans for development and tests."""

from __future__ import annotations

import os
from pathlib import Path

from umaddpm_core.errors import InputError

DATA_VARIABLE = "UMADDPM_DATA"


def data_root() -> Path:
    """The folder with the real scans: environment variable `UMADDPM_DATA`, else `../shared/data` beside the checkout.

    Raises:
        InputError: it is not there.
    """
    root = Path(os.environ.get(DATA_VARIABLE) or Path(__file__).parents[4] / "shared" / "data")
    if not root.is_dir():
        raise InputError(f"There is no data folder {root}; set {DATA_VARIABLE} to the folder that holds the scans.")
    return root
