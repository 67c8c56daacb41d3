"""A server that is killed at any moment: what it told clients is so after a restart."""

import random

from soak.kills.working_server import kill_working_server


def test_what_was_told_before_a_kill_is_so_after_it(place):
    killed = kill_working_server(place, 2, random.Random(3))
    assert [kill.problems for kill in killed] == [[], []]
    assert all(kill.labels for kill in killed), "labels were saved before every kill"
