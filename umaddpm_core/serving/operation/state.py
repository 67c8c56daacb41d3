"""What the server holds at the moment somebody asks for its metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fastapi import FastAPI
from monailabel.interfaces.utils.app import app_instance
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from umaddpm_core.preprocessing.memory import memory_state
from umaddpm_core.serving.detections import Detections
from umaddpm_core.serving.jobs.job import State


class ServerState(Collector):
    """Queue, jobs, models, kept detections and memory of a server, read anew every time."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def describe(self) -> list[Metric]:
        """Nothing is known before the server has started."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from self._queue()
        yield self._jobs()
        yield from _detections(app_instance().detections)
        memory = memory_state()
        yield GaugeMetricFamily("umaddpm_memory_total_bytes", "Memory that machine and container allow.", memory.total)
        yield GaugeMetricFamily("umaddpm_memory_available_bytes", "What of it is free.", memory.available)

    def _queue(self) -> Iterator[Metric]:
        counts = self._app.state.queue.counts()
        yield GaugeMetricFamily("umaddpm_detections_waiting", "Detections in the queue.", counts["waiting"])
        yield GaugeMetricFamily("umaddpm_detections_running", "Detections being computed.", counts["running"])
        yield GaugeMetricFamily("umaddpm_workers", "Detections that can be computed at once.", counts["workers"])
        yield GaugeMetricFamily("umaddpm_queue_length", "Detections that may wait.", counts["queue"])

    def _jobs(self) -> Metric:
        jobs = GaugeMetricFamily("umaddpm_jobs", "Jobs that are kept, by state.", labels=["state"])
        counts = Counter(job.state for job in self._app.state.jobs.all())
        for state in State:
            jobs.add_metric([state.value], counts[state])
        return jobs


def _detections(detections: Detections) -> Iterator[Metric]:
    models = GaugeMetricFamily(
        "umaddpm_models_loaded", "Copies of each model in memory.", labels=["model", "weights", "default"]
    )
    for (name, weights, is_default), copies in Counter(detections.loaded()).items():
        models.add_metric([name, weights, str(is_default).lower()], copies)
    yield models
    memory = detections.memory
    yield CounterMetricFamily("umaddpm_cache_hits", "Detections that were answered from memory.", memory.hits)
    yield CounterMetricFamily("umaddpm_cache_misses", "Detections that had to be computed.", memory.misses)
    yield GaugeMetricFamily("umaddpm_cache_bytes", "Memory of the detections that are kept.", memory.size)
