"""From what the network raises to the error that it means."""

from __future__ import annotations

import http.client
import socket
import ssl

from .address import Address
from .errors import BrokenOff, CertificateRefused, ClientError, NotOurServer, Unreachable

NETWORK_ERRORS = (OSError, http.client.HTTPException, ValueError)
"""A socket that is shut under TLS while it is read raises ValueError."""


class NoConnection(OSError):
    """The connection was not made; the cause says why."""


def named(error: BaseException, where: Address, connect_s: float, answer_s: float) -> ClientError:
    """One of our errors for one of `NETWORK_ERRORS`.

    Args:
        where: the server.
        connect_s, answer_s: the time limits that held.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return CertificateRefused(f"The certificate of {where} is not trusted ({error.verify_message}); nothing was sent.")
    if isinstance(error, ssl.SSLError):
        return CertificateRefused(f"No secure connection to {where}: {error.reason or 'it does not speak https'}.")
    if isinstance(error, NoConnection):
        return _no_connection(error.__cause__, where, connect_s)
    if isinstance(error, (socket.timeout, TimeoutError)):
        return Unreachable(f"The server at {where} accepted the connection and then said nothing for {answer_s:.0f} s.")
    if isinstance(error, http.client.RemoteDisconnected):
        return BrokenOff(f"What listens at {where} closed the connection without an answer; is {where.scheme} right, and the server up?")
    if isinstance(error, http.client.HTTPException) and not isinstance(error, http.client.IncompleteRead):
        return NotOurServer(f"What answers at {where} does not speak {where.scheme}.")
    return BrokenOff(f"The connection to {where} broke off in the middle of a transfer.")


def _no_connection(cause: BaseException | None, where: Address, connect_s: float) -> Unreachable:
    if isinstance(cause, socket.gaierror):
        return Unreachable(f"There is no computer called {where.host}; is the address right, and are you in its network?")
    if isinstance(cause, ConnectionRefusedError):
        return Unreachable(f"Nothing listens at {where}; is the server started, and the port right?")
    return Unreachable(f"No connection to {where}: it did not answer in {connect_s:.0f} s.")
