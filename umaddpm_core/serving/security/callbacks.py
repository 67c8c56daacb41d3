"""How the server's own child processes ask it for something: with a token of its own."""

from __future__ import annotations

import logging
import os
from typing import Any

from umaddpm_core.errors import InputError
from umaddpm_core.serving.client import Client
from umaddpm_core.serving.security.tokens import OWN_TOKEN_VARIABLE

ADDRESS_VARIABLE = "UMADDPM_ADDRESS"
"""Environment variable with the address at which this computer reaches the server; set by who starts it."""
CERTIFICATE_VARIABLE = "UMADDPM_CERTIFICATE"
"""Environment variable with the certificate that the server shows there; empty without TLS."""

logger = logging.getLogger(__name__)


def ask_own_server(path: str, parameters: dict[str, Any] | None, what: str, port: int) -> Any:
    """`POST` to the server that started this process, as MONAI Label's jobs do when they are done; never raises.

    Stock MONAI Label sends no token, and always to 127.0.0.1 and without TLS.

    Returns:
        The answer, or None where there was none; the log has the reason.
    """
    address = os.environ.get(ADDRESS_VARIABLE) or f"http://127.0.0.1:{port}"
    client = Client(address, os.environ.get(OWN_TOKEN_VARIABLE), os.environ.get(CERTIFICATE_VARIABLE))
    try:
        return client.post(path, parameters or {})
    except InputError as error:
        logger.error("%s was not started: %s", what, error)
        return None
