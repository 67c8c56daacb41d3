"""What is counted while the server works. No label holds anything that a client made up."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, PlatformCollector, ProcessCollector, Summary

from umaddpm_core import __version__
from umaddpm_core.errors import Cancelled, InputError, NeverFits, OutOfMemory, Rejected
from umaddpm_core.serving.jobs.queue import Stopping, Ticket

SECONDS = (0.01, 0.05, 0.25, 1, 5, 15, 30, 60, 120, 300)
METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}

OUTCOMES = {
    Stopping: "interrupted",
    Cancelled: "cancelled",
    Rejected: "rejected",
    NeverFits: "too_large",
    OutOfMemory: "out_of_memory",
    InputError: "refused",
    BaseException: "failed",
}
"""What came of a detection that raised; the first class that fits counts."""
DONE, FROM_MEMORY = "done", "from_memory"


class Metrics:
    """The counters of one server, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        Info("umaddpm", "The program.", registry=self.registry).info({"version": __version__})
        self._requests = Histogram(
            "umaddpm_http_request_seconds",
            "Requests by route, method and status of the answer, refused ones too, and how long they took.",
            ("route", "method", "status"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._detections = Counter("umaddpm_detections", "Detections by what came of them.", ("outcome",), registry=self.registry)
        for outcome in (DONE, FROM_MEMORY, *OUTCOMES.values()):
            self._detections.labels(outcome)
        self._phases = Summary(
            "umaddpm_detection_phase_seconds",
            "How long detections that were computed spent in each phase.",
            ("phase",),
            registry=self.registry,
        )

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request; `route` as registered, not as requested."""
        self._requests.labels(route, method if method in METHODS else "other", str(status)).observe(seconds)

    def ended(self, ticket: Ticket) -> None:
        """Count a detection whose future is resolved."""
        cancelled = ticket.future.cancelled()
        error = Cancelled() if cancelled else ticket.future.exception()
        if error is not None:
            self._detections.labels(next(outcome for kind, outcome in OUTCOMES.items() if isinstance(error, kind))).inc()
            return
        seconds = ticket.progress.seconds
        self._detections.labels(DONE if seconds else FROM_MEMORY).inc()
        for phase, spent in seconds.items():
            self._phases.labels(phase).observe(spent)
