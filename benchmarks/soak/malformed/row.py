"""Malformed requests, and what has to be as it was after them."""

from __future__ import annotations

import requests
from soak.malformed.composed import send_composed
from soak.malformed.described import send_described
from soak.malformed.target import Target
from soak.place import Place
from soak.row import Row

REQUESTS = 600


def send_all(target: Target, number: int) -> list[str]:
    """Send at least `number` requests, half of either kind; returns what came of them that must not."""
    before = target.outside(), target.temporary(), target.scan()
    # So that those that ask for a detection are answered from memory.
    requests.post(f"{target.url}/infer/anomaly", params={"image": target.image, "output": "json"}, headers=target.headers, timeout=600)
    found = []
    for send in (send_composed, send_described):
        try:
            send(target, number * 6 // 10)
        except (AssertionError, requests.RequestException) as error:
            found.append(f"{type(error).__name__}: {error}")
    found += [f"{file} was written" for file in target.outside() - before[0]]
    found += [f"{file} leads out" for file in target.leading_out()]
    found += [f"the temporary file {name} was left behind" for name in sorted(target.left_behind(before[1]))]
    if target.scan() != before[2]:
        found.append("the scan has changed")
    if not requests.get(f"{target.url}/info/", headers=target.headers, timeout=60).ok:
        found.append("the server answers no more")
    return found


def malformed(place: Place, number: int = REQUESTS) -> Row:
    """Against a server without tokens, where every request gets as far as it can."""
    with place.server() as server:
        target = Target(server.url, place.image, place.home)
        found = send_all(target, number)
    sent = target.statuses.total()
    return Row(
        name="malformed",
        what="malformed requests (hypothesis on files and parameters, schemathesis on the described routes)",
        demand="≥ 500 generated: no 500, no hang, no file outside the folders",
        figure=f"{sent} sent: {sum(count for status, count in target.statuses.items() if status >= 500)} answers of 500 or more, "
        f"{len(found)} things amiss",
        passed=not found and sent >= number,
        details={"statuses": {str(status): count for status, count in sorted(target.statuses.items())}, "problems": found},
    )
