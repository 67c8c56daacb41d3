"""Requests made from the server's own description of itself, those it says it takes and those it says it does not."""

from __future__ import annotations

import time

import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance
from soak.malformed.composed import LEFT_OUT
from soak.malformed.target import Target

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def send_described(target: Target, number: int) -> None:
    """Send so many; AssertionError where an answer is none that may be, or none that the description tells of."""
    schema = schemathesis.openapi.from_url(f"{target.url}/openapi.json", headers=target.headers)
    operations = [result.ok() for result in schema.get_all_operations()]
    cases = st.one_of(
        operation.as_strategy(generation_mode=mode)
        for operation in operations if operation.path not in LEFT_OUT
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    )  # fmt: skip

    @seed(20240611)
    @settings(max_examples=number, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases, known=st.booleans())
    def send(case, known):
        if known and case.method != "DELETE" and isinstance(case.query, dict) and "image" in case.query:
            case.query["image"] = target.image
        if case.path == "/infer/{model}" and known:
            case.path_parameters["model"] = "anomaly"
        sent = time.monotonic()
        prepared = case.as_transport_kwargs(base_url=target.url, headers=target.headers)
        answer = requests.request(**prepared, timeout=60, allow_redirects=False)
        target.judge(answer, sent)
        case.validate_response(answer, checks=CHECKS)

    send()
