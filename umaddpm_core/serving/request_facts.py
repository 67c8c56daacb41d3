"""What is known of a request while it is answered, for those who record it: the audit log, the server's log and the metrics."""

from __future__ import annotations

from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

FACTS = "umaddpm.facts"
"""Key of the scope under which the parts of the server leave what is to be recorded."""

REQUEST_ID_HEADER = "X-Request-ID"
"""Header under which a client, or a proxy before the server, may send a request's number, and gets it back."""

_present: ContextVar[dict[str, Any] | None] = ContextVar("facts of the present request", default=None)


def begin(scope: MutableMapping[str, Any], **facts: Any) -> dict[str, Any]:
    """Start the facts of a request; whatever is done for it, in other threads too, finds them by `present`."""
    scope[FACTS] = facts
    # Every request is answered in a context of its own, so this is never taken back: what the server logs of it
    # afterwards still belongs to it.
    _present.set(facts)
    return facts


def note(scope: MutableMapping[str, Any], **facts: Any) -> None:
    """Leave facts for the record of this request; None adds nothing.

    Args:
        facts: `image` is hashed or left out where it is written, `open=True` keeps the request out of the audit log; all
            others are written as they are, so they must not say who the patient is.
    """
    scope.setdefault(FACTS, {}).update({name: value for name, value in facts.items() if value is not None})


def belongs_to(**facts: Any) -> None:
    """Say of all that is done from here on, in this context, what it belongs to besides its request, such as a job."""
    _present.set({**present(), **facts})


def present() -> dict[str, Any]:
    """The facts of the request that is being answered here; empty outside of one."""
    facts = _present.get()
    return {} if facts is None else facts
