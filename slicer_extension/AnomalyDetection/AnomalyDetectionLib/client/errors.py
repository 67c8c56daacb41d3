"""What can come of a request other than its answer; every sentence is for the person at the keyboard."""

from __future__ import annotations


class ClientError(Exception):
    """Something went wrong between this computer and the server; the text is one sentence."""


class Unreachable(ClientError):
    """Nobody answers: wrong address, server not started, no network, or too slow."""


class CertificateRefused(ClientError):
    """The server is not, or cannot be shown to be, the one that the address names; nothing was sent."""


class NotOurServer(ClientError):
    """Something answers that does not speak as a server of anomaly detection does."""


class WrongToken(ClientError):
    """The server wants a token, or does not know the one it was shown."""


class BrokenOff(ClientError):
    """The connection ended in the middle of a transfer; nothing of it was kept."""


class Refused(ClientError):
    """The server understood and refuses, in its own words.

    Attributes:
        status: of the HTTP answer, 4xx.
    """

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class NotAllowed(Refused):
    """The token is known, and its role does not allow this."""


class NotFound(Refused):
    """What was asked for is not, or no longer, on the server."""


class Busy(ClientError):
    """The server has no room now, or is not ready yet.

    Attributes:
        retry_after: seconds after which it may have.
    """

    def __init__(self, sentence: str, retry_after: float) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class ServerFailed(ClientError):
    """The server failed at what it was asked to do."""


class Cancelled(Exception):
    """The person asked to stop; nothing was kept."""
