"""A hundred requests that no client of ours sends: each is answered, soon, and nothing is written outside the folders."""

from soak.malformed import Target, send_all


def test_malformed_requests_are_answered_and_harm_nothing(guarded):
    target = Target(guarded.url, guarded.image, guarded.home, {"Authorization": f"Bearer {guarded.tokens['admin']}"})
    assert send_all(target, 100) == []
    assert target.statuses.total() >= 100 and {200, 404, 422} <= target.statuses.keys(), target.statuses
