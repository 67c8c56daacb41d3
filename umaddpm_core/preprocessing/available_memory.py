"""How much memory this process may still take: what the machine has left, and what its container allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

PROCESS = Path("/proc/self/cgroup")
MOUNT = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class MemoryState:
    """Bytes: all that there is for this process and those beside it, and what of it is free now."""

    total: int
    available: int

    @classmethod
    def now(cls, process: Path = PROCESS, mount: Path = MOUNT) -> MemoryState:
        """The smallest of what the machine and the control groups around this process (version 1 or 2) allow.

        Args:
            process, mount: where Linux tells of control groups; elsewhere they are missing.
        """
        machine = psutil.virtual_memory()
        states = [cls(machine.total, machine.available), *_control_groups(process, mount)]
        return cls(min(state.total for state in states), min(state.available for state in states))

    @classmethod
    def within(cls, limit: int) -> MemoryState:
        """What there is where this process alone may take `limit` bytes."""
        state = cls.now()
        own = psutil.Process().memory_info().rss
        return cls(limit, min(state.available, max(0, limit - own)))


def _control_groups(process: Path, mount: Path) -> Iterator[MemoryState]:
    try:
        lines = process.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, place = line.split(":", 2)
        if controllers == "":
            yield from _upwards(mount, place, ("memory.max", "memory.current", "inactive_file"))
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _upwards(mount / "memory", place, names)


def _upwards(mount: Path, place: str, names: tuple[str, str, str]) -> Iterator[MemoryState]:
    """The limits of a group and those around it. In a container the folder of its own group is the mount itself."""
    group = mount / place.strip("/")
    for folder in (group, *group.parents):
        if state := _limits(folder, *names):
            yield state
        if folder == mount:
            return


def _limits(folder: Path, limit: str, usage: str, cached: str) -> MemoryState | None:
    """None where the group has no limit, or is not seen from here."""
    try:
        total, used = int((folder / limit).read_text()), int((folder / usage).read_text())
        figures = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # the word `max` is no number
        return None
    # Files that were read and are not needed any more are given up before anything else.
    return MemoryState(total, max(0, total - used + int(figures.get(cached, 0))))
