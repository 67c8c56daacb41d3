"""Which status an error becomes; on an application of a few routes, as these cannot be had at will on the server."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from umaddpm_core.errors import DeviceFull, InputError, NeverFits, NotFound, OutOfMemory
from umaddpm_core.serving.error_answers import install_error_answers


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [(OutOfMemory, 503, True), (DeviceFull, 503, True), (NeverFits, 413, False), (NotFound, 404, False), (InputError, 422, False)],
)
def test_lack_of_memory_is_told_apart_from_bad_input(error, status, retry):
    app = FastAPI()
    install_error_answers(app)

    @app.get("/")
    def fail():
        raise error("What is wrong is said.")

    answer = TestClient(app).get("/")
    assert answer.status_code == status and answer.json() == {"detail": "What is wrong is said."}
    assert ("retry-after" in answer.headers) == retry and int(answer.headers.get("retry-after", 1)) >= 1


def test_a_failure_nobody_foresaw_keeps_the_number_of_its_request():
    from umaddpm_core.serving.operation.metrics import Metrics
    from umaddpm_core.serving.operation.observing import Observing

    app, metrics = FastAPI(), Metrics()
    install_error_answers(app)
    app.add_middleware(Observing, metrics=metrics)

    @app.get("/info/")
    def fail():
        raise KeyError

    answer = TestClient(app, raise_server_exceptions=False).get("/info/", headers={"X-Request-ID": "r-1"})
    assert answer.status_code == 500 and answer.headers["x-request-id"] == "r-1"
    labels = {"route": "/info/", "method": "GET", "status": "500"}
    assert metrics.registry.get_sample_value("umaddpm_http_request_seconds_count", labels) == 1
