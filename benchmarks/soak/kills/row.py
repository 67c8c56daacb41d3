"""Kills of everything that writes, as one row."""

from __future__ import annotations

import random
from collections import Counter

from soak.kills.publisher import kill_publisher
from soak.kills.trainer import kill_trainer
from soak.kills.working_server import kill_working_server
from soak.place import Place
from soak.row import Row

from umaddpm_core.serving.models.versions import Versions

TIMES = 20


def kills(place: Place, times: int = TIMES, seed: int = 0) -> Row:
    """Each activity is killed so many times, at moments drawn at random; trainings, which take longest, half as often."""
    moments = random.Random(seed)
    of_server = kill_working_server(place, times, moments)
    versions = Versions(place.home / "models", "uma_ddpm")
    of_publisher = [kill_publisher(versions, place.model, moments.uniform(0, 0.3)) for _ in range(times)]
    studies = Place(place.home / "training", place.model, place.scan)
    of_trainer = kill_trainer(studies, max(1, times // 2), moments)
    problems = [problem for one in (*of_server, *of_trainer) for problem in one.problems] + [one for found in of_publisher for one in found]
    return Row(
        name="kills",
        what=f"`kill -9` at {times} random moments of infer and save label (a server doing both), {times} of publish and "
        f"{len(of_trainer)} of train (the training alone, and the server with it)",
        demand="restart works; datastore, labels and models intact; every accepted label present",
        figure=f"{len(of_server) + len(of_trainer) // 2} restarts, {sum(one.labels for one in of_server)} labels saved on the way, "
        f"{len(versions.published())} versions published; {len(problems)} things amiss",
        passed=not problems,
        details={
            "problems": problems, "phases": dict(Counter(one.phase for one in of_server)),
            "phases_of_training": dict(Counter(one.phase for one in of_trainer)),
            "restart_s": [one.restarted_s for one in of_server], "labels": [one.labels for one in of_server],
        },
    )  # fmt: skip
