"""What is counted is what was done, and no label says whose scan it was."""

import re
from concurrent.futures import Future

import pytest
import requests
from attacks import raw_request

from umaddpm_core.errors import Cancelled, InputError, NeverFits, OutOfMemory, Rejected
from umaddpm_core.serving.cancellation import Cancellation
from umaddpm_core.serving.jobs.progress import PHASES, Progress
from umaddpm_core.serving.jobs.queue import Stopping, Ticket, WorkQueue
from umaddpm_core.serving.operation.metrics import Metrics


def moved(before, after, name):
    """By how much the samples of a name have moved, by the values of their labels."""
    samples = [labels for sample, labels in after if sample == name]
    changes = {tuple(value for _, value in labels): after[name, labels] - before[name, labels] for labels in samples}
    return {labels: change for labels, change in changes.items() if change}


def test_counts_move_by_exactly_what_was_done(observed, observed_jobs, unseen, tmp_path):
    server, scan = observed.running, unseen(observed.running.scan)
    text = tmp_path / "Jane-Doe-T1.nii.gz"
    text.write_bytes(b"no image")
    before = observed.metrics()
    assert server.ask(file=scan, output="json").status_code == 200
    assert server.ask(file=scan, output="json", params={"threshold": 0.02}).status_code == 200
    assert server.ask(image=server.image, output="json", params={"model": "none_such"}).status_code == 422
    assert server.ask(image="Jane-Doe", output="json").status_code == 404
    assert server.ask(file=text, output="json").status_code == 422
    job = observed_jobs.submit(scan)
    while observed_jobs.state(job)["state"] != "done":
        pass
    asked = requests.get(f"{server.url}/anomaly/jobs/{job}/report", timeout=60)
    after = observed.metrics()

    assert asked.status_code == 200
    requests_ = moved(before, after, "umaddpm_http_request_seconds_count")
    assert requests_.pop(("GET", "/anomaly/jobs/{job_id}", "200")) >= 1
    assert requests_ == {
        ("GET", "/metrics", "200"): 1,
        ("POST", "/infer/{model}", "200"): 2,
        ("POST", "/infer/{model}", "422"): 2,
        ("POST", "/infer/{model}", "404"): 1,
        ("POST", "/anomaly/jobs", "202"): 1,
        ("GET", "/anomaly/jobs/{job_id}/{result}", "200"): 1,
    }
    assert moved(before, after, "umaddpm_http_request_seconds_sum")["POST", "/infer/{model}", "200"] > 0
    assert moved(before, after, "umaddpm_detections_total") == {("done",): 1, ("from_memory",): 2, ("refused",): 1}
    # Reading the scan is over before the detector tells anything, so it is not among the phases that are timed.
    assert moved(before, after, "umaddpm_detection_phase_seconds_count") == {(phase,): 1 for phase in PHASES[1:]}
    assert all(seconds > 0 for seconds in moved(before, after, "umaddpm_detection_phase_seconds_sum").values())
    assert moved(before, after, "umaddpm_cache_hits_total") == {(): 2}
    assert moved(before, after, "umaddpm_cache_misses_total") == {(): 1}
    assert moved(before, after, "umaddpm_cache_bytes")[()] > 0
    assert moved(before, after, "umaddpm_jobs") == {("done",): 1}


def test_what_the_server_holds_is_told(observed, observed_jobs):
    jobs = [observed_jobs.submit(image=observed.running.image, params={"threshold": 0.1 * number}) for number in (1, 2, 3)]
    samples = observed.metrics()
    waiting, running = samples["umaddpm_detections_waiting", ()], samples["umaddpm_detections_running", ()]
    assert waiting + running <= 3 and running <= samples["umaddpm_workers", ()] == 1
    assert sum(samples["umaddpm_jobs", (("state", state),)] for state in ("queued", "running")) <= 3
    for job in jobs:
        observed_jobs.done(job)
    samples = observed.metrics()
    assert samples["umaddpm_detections_waiting", ()] == samples["umaddpm_detections_running", ()] == 0
    assert samples["umaddpm_queue_length", ()] == 32
    (model,) = (dict(labels) for name, labels in samples if name == "umaddpm_models_loaded")
    assert model["model"] == "tiny" and model["default"] == "true" and re.fullmatch(r"[0-9a-f]+", model["weights"])
    assert samples["umaddpm_memory_total_bytes", ()] == 2500 << 20
    assert 0 < samples["umaddpm_memory_available_bytes", ()] < (2500 << 20) - samples["process_resident_memory_bytes", ()] * 0.5


def test_labels_are_bounded_and_name_nobody(observed):
    url = observed.running.url
    for number in range(3):
        requests.get(f"{url}/patients/Jane-Doe-{number}", timeout=60)
        requests.get(f"{url}/datastore/image", params={"image": f"Jane-Doe-{number}"}, timeout=60)
        raw_request(url, f"BREW{number}", "/coffee/Doe")
    text = requests.get(f"{url}/metrics", timeout=60).text
    assert "Doe" not in text and "BREW" not in text and observed.running.image not in text
    counts = observed.metrics()
    assert counts["umaddpm_http_request_seconds_count", (("method", "GET"), ("route", "?"), ("status", "404"))] >= 3
    statuses = {dict(labels)["status"]: dict(labels)["route"] for name, labels in counts if dict(labels).get("method") == "other"}
    assert set(statuses.values()) <= {"?"}


def test_openmetrics_where_it_is_asked_for(observed):
    answer = requests.get(f"{observed.running.url}/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}, timeout=60)
    assert answer.headers["content-type"].startswith("application/openmetrics-text") and answer.text.endswith("# EOF\n")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "from_memory"), (Cancelled(), "cancelled"), (Stopping(), "interrupted"), (Rejected("x"), "rejected"),
        (NeverFits("x"), "too_large"), (OutOfMemory("x"), "out_of_memory"), (InputError("x"), "refused"), (KeyError("x"), "failed"),
    ],
)  # fmt: skip
def test_every_end_of_a_detection_is_told_apart(error, outcome):
    metrics = Metrics()
    queue = WorkQueue(1, 1, metrics.ended)

    def work(worker):
        if error is not None:
            raise error

    future = queue.submit(work, Cancellation(), Progress()).future
    assert (future.exception(60) is None) == (error is None)
    assert metrics.registry.get_sample_value("umaddpm_detections_total", {"outcome": outcome}) == 1
    queue.stop()


def test_a_detection_that_nobody_waits_for_any_more_is_cancelled():
    metrics = Metrics()
    ticket = Ticket(lambda worker: None, Cancellation(), Progress(), about="")
    ticket.future.add_done_callback(lambda future: metrics.ended(ticket))
    assert isinstance(ticket.future, Future) and ticket.future.cancel()
    assert metrics.registry.get_sample_value("umaddpm_detections_total", {"outcome": "cancelled"}) == 1
