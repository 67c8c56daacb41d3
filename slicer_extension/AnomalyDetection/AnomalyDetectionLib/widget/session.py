"""What the sections of the panel share: the server, the workers, the scene, and the result that is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..client import Cancellation, Client, ServerStatus
from ..jobs import Jobs
from ..scene import Comparison, LiveThreshold, Result, results_in
from ..translation import _
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
        result_changed: emitted when another result is shown, or none; `findings_changed` when its mask is made anew, and
            `kept_changed` when a lesion is left out of it or put back.
    """

    def __init__(self, scene: Any, application_logic: Any, application: Any, messages: Messages) -> None:
        self.scene, self.application, self.messages = scene, application, messages
        self.comparison = Comparison(scene, application_logic)
        self.client: Client | None = None
        self.status: ServerStatus | None = None
        self.result: Result | None = None
        self.live: LiveThreshold | None = None
        self.connected, self.result_changed = Signal(), Signal()
        self.findings_changed, self.kept_changed = Signal(), Signal()
        self._scan: Any = None
        self._entered = True
        self._waiting: Callable[[], None] | None = None
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
        self.live = LiveThreshold(result, self._tell_of_edited) if result is not None else None
        self.result, self._scan = result, None
        if result is not None:
            self.comparison.show(result)
        else:
            self.comparison.clear()
        self.result_changed.emit()

    def show_scan(self, scan: Any) -> None:
        """Look at a scan that has no result yet; no earlier result comes in its place."""
        self.show(None)
        self._scan = scan
        self.application.show_scan(scan)
        self.comparison.show_scan(scan)

    def when_entered(self, look: Callable[[], None]) -> None:
        """Look at something now, or when the module is entered again: until then the views are another module's."""
        if self._entered:
            look()
        else:
            self._waiting = look

    def enter(self) -> None:
        """Look at what came meanwhile, or at the newest result that there is."""
        self._entered, look, self._waiting = True, self._waiting, None
        if look is not None:
            look()
        self.forget_what_is_gone()

    def leave(self) -> None:
        """Leave the views as they are from now on."""
        self._entered = False

    def forget_what_is_gone(self) -> None:
        """After the scene was closed or loaded: look at the newest result that there is, of the scan that is looked at."""
        if self.result is not None and self.result.is_alive:
            return
        scan = self._scan if self._scan is not None and self._scan.GetScene() is self.scene else None
        alive = [result for result in results_in(self.scene, scan) if result.is_alive]
        if alive and self._entered:
            self.show(alive[-1])
        elif self.result is not None:
            self.show(None)

    def may_send(self) -> bool:
        """Whether the person agrees that scans go to this server; asked once for each address."""
        return agreed(self.application, self.client.address)

    def _tell_of_edited(self, name: str) -> None:
        kept = _("A new mask was made. Your edited one is kept as “{name}”; only the new one is shown and sent.")
        self.messages.tell(kept.format(name=name))

    def close(self) -> None:
        """Cancel everything; only a detection has a moment to tell the server that its files can go."""
        self.comparison.close()
        self._asking.close(0)
        self._detecting.close()
