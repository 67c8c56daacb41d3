"""What the sections of the panel share: the server, the workers, the scene, and the result that is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..client import Cancellation, Client, ServerStatus
from ..jobs import Jobs
from ..scene import Comparison, LiveThreshold, Result, results_in
from ..worker import Worker
from .consent import agreed
from .messages import Messages
from .signal import Signal


class Session:
    """One for a panel.

    Detections and questions have a thread each, so that a status is there while a detection runs.

    Attributes:
        client, status: of the server that answered; None before.
        result, live: the result that is shown, and its threshold; None where there is none.
        connected: emitted when `client` changed.
        result_changed: emitted when another result is shown, or none; and `findings_changed` when its mask is another.
    """

    def __init__(self, scene: Any, application_logic: Any, application: Any, messages: Messages) -> None:
        self.scene, self.application, self.messages = scene, application, messages
        self.comparison = Comparison(scene, application_logic)
        self.client: Client | None = None
        self.status: ServerStatus | None = None
        self.result: Result | None = None
        self.live: LiveThreshold | None = None
        self.connected, self.result_changed, self.findings_changed = Signal(), Signal(), Signal()
        self._detecting, self._asking = Worker(), Worker()
        self.jobs = Jobs(self._detecting)

    @property
    def server(self) -> str:
        """Address of the server; empty where there is none."""
        return str(self.client.address) if self.client is not None else ""

    def ask(
        self, question: Callable[[Cancellation], Any], answered: Callable[[Any], None], failed: Callable[[Exception], None] | None = None
    ) -> Cancellation:
        """Have the server asked; what fails is told in the panel unless somebody takes it."""
        return self._asking.call(question, answered, failed or self.messages.error)

    def poll(self) -> None:
        """Deliver what happened meanwhile; an error in what it starts is told, and stops nothing else."""
        for worker in (self._asking, self._detecting):
            try:
                worker.poll()
            except Exception as error:
                self.messages.error(error)

    @property
    def is_busy(self) -> bool:
        """Whether a detection or a question is under way."""
        return self._asking.is_busy or self._detecting.is_busy

    def connect(self, client: Client | None, status: ServerStatus | None) -> None:
        """Talk to this server from now on."""
        self.client, self.status = client, status
        self.connected.emit()

    def show(self, result: Result | None) -> None:
        """Look at a result.

        Raises:
            SceneError: its nodes are gone.
        """
        self.live = LiveThreshold(result) if result is not None else None
        self.result = result
        if result is not None:
            self.comparison.show(result)
        self.result_changed.emit()

    def forget_what_is_gone(self) -> None:
        """After the scene was closed or loaded: look at the newest result that there is."""
        if self.result is not None and self.result.is_alive:
            return
        alive = [result for result in results_in(self.scene) if result.is_alive]
        self.show(alive[-1] if alive else None)

    def may_send(self) -> bool:
        """Whether the person agrees that scans go to this server; asked once for each address."""
        return agreed(self.application, self.client.address)

    def close(self) -> None:
        """Cancel everything; only a detection has a moment to tell the server that its files can go."""
        self._asking.close(0)
        self._detecting.close()
