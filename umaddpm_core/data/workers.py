"""Processes that work through a list; one that dies costs only the item it had."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TypeVar

T = TypeVar("T")

CONTEXT = get_context("spawn")
POLL_SECONDS = 0.2
"""How long Ctrl-C waits at most."""


def each(job: Callable[[T], str | None], items: Sequence[T], workers: int) -> Iterator[tuple[T, str | None]]:
    """Do a job for every item in processes with one thread each, and say how it ended, in the order of ending.

    Args:
        job: importable by name; what it returns is passed on. An exception becomes its text.
        workers: processes at once. They end with this one, however it ends.

    Yields:
        An item, and what the job returned, or why it failed.

    Raises:
        KeyboardInterrupt: Ctrl-C, between two answers.
    """
    waiting = list(reversed(items))
    busy: dict[Connection, tuple[BaseProcess, T]] = {}
    with _interrupted() as interrupted:
        try:
            for _ in range(min(workers, len(waiting))):
                connection, process = _start(job)
                busy[connection] = process, waiting.pop()
                _hand_over(connection, busy[connection][1])
            while busy:
                if interrupted():
                    raise KeyboardInterrupt
                for connection in wait(list(busy), POLL_SECONDS):
                    process, item = busy.pop(connection)
                    try:
                        answer, alive = connection.recv(), True
                    except (EOFError, ConnectionResetError):
                        process.join()
                        answer, alive = _cause_of_death(process.exitcode), False
                    if waiting:
                        if not alive:
                            connection, process = _start(job)
                        busy[connection] = process, waiting.pop()
                        _hand_over(connection, busy[connection][1])
                    elif alive:
                        connection.close()
                    yield item, answer
        finally:
            for process, _ in busy.values():
                process.terminate()


@contextmanager
def _interrupted() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed since: noted, because raised at any moment it can be lost in a callback, or leave a process
    that was just being started. Elsewhere than in the main thread Python tells nobody, and this says no."""
    pressed: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)


def _start(job: Callable[[T], str | None]) -> tuple[Connection, BaseProcess]:
    here, there = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_work, args=(job, there), daemon=True)
    # Ctrl-C reaches every process of the terminal; only this one is to act on it, and end the others. The tracker starts
    # before, since its start makes the signal pass again.
    resource_tracker.ensure_running()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    process.start()
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    there.close()
    return here, process


def _hand_over(connection: Connection, item: object) -> None:
    """Send an item; that its process has died meanwhile shows when the answer is read."""
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.send(item)


def _work(job: Callable[[T], str | None], connection: Connection) -> None:
    import SimpleITK as sitk
    import torch

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    torch.set_num_threads(1)
    try:
        while True:
            connection.send(_answer(job, connection.recv()))
    except (EOFError, BrokenPipeError):
        return


def _answer(job: Callable[[T], str | None], item: T) -> str | None:
    try:
        return job(item)
    except Exception as error:  # whatever one item does, the others go on
        return f"{type(error).__name__}: {error}"


def _cause_of_death(status: int | None) -> str:
    if status is not None and status < 0:
        name = signal.Signals(-status).name
        hint = ", as happens when memory runs out: try fewer workers" if name == "SIGKILL" else ""
        return f"The process that prepared it was ended by {name}{hint}."
    return f"The process that prepared it ended with status {status}."
