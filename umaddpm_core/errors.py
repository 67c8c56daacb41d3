"""What can go wrong in a way the person at the keyboard can mend."""


class InputError(ValueError):
    """A bad input, named in one sentence: exit status 2 on the command line, HTTP 4xx on the server."""


class Cancelled(Exception):
    """The caller asked to stop; nothing was written."""
