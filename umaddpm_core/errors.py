"""What can go wrong in a way the person at the keyboard can mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class InputError(ValueError):
    """A bad input, named in one sentence: exit status 2 on the command line, HTTP 4xx on the server."""


class NotFound(InputError):
    """What the input names is not there: an image, a session, a job."""


class Rejected(InputError):
    """A scan of which no result would mean anything: its quality report says `reject`."""


class OutOfMemory(InputError):
    """There is not enough memory for a scan now; later there may be."""


class DeviceFull(OutOfMemory):
    """The memory that is lacking is that of a GPU."""


class NeverFits(InputError):
    """A scan that needs more memory than there is at all."""


class Cancelled(Exception):
    """The caller asked to stop; nothing was written."""


@contextmanager
def naming(scan: str) -> Iterator[None]:
    """Put the name of a scan before what is said of it by parts that know no names."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{scan}: {error}") from error
