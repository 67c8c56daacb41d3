"""The log as JSON lines: every line is one, belongs to its request, and names no scan."""

import gzip
import json
import logging
import re
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
import requests

from umaddpm_core.errors import InputError
from umaddpm_core.serving.operation.json_log import JsonLines, as_text, asks_for_json
from umaddpm_core.serving.operation.without_names import without_names
from umaddpm_core.serving.request_facts import begin


def test_every_line_is_an_object_with_time_level_logger_and_message(observed):
    requests.get(f"{observed.running.url}/info/", timeout=60)
    entries = observed.log()
    assert len(entries) > 5
    for entry in entries:
        assert {"time", "level", "logger", "message"} <= entry.keys()
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", entry["time"])
    loggers = {entry["logger"] for entry in entries}
    assert {"uvicorn.error", "printed", "umaddpm_core.access"} <= loggers


def test_a_request_is_logged_under_the_number_that_the_client_gave_it(observed):
    answer = requests.get(f"{observed.running.url}/datastore/", headers={"X-Request-ID": "ward-7.0815"}, timeout=60)
    assert answer.headers["x-request-id"] == "ward-7.0815"
    (entry,) = observed.logged("ward-7.0815")
    assert {"method": "GET", "route": "/datastore/", "status": 200, "logger": "umaddpm_core.access"}.items() <= entry.items()
    assert entry["milliseconds"] > 0 and "job" not in entry


@pytest.mark.parametrize("sent", [None, "", "a b", "x" * 65, 'x"y', "é"])
def test_a_number_that_is_none_is_replaced(observed, sent):
    headers = {} if sent is None else {"X-Request-ID": sent.encode("latin-1")}
    numbers = [requests.get(f"{observed.running.url}/health", headers=headers, timeout=60).headers["x-request-id"] for _ in range(2)]
    assert all(re.fullmatch(r"[0-9a-f]{16}", number) for number in numbers) and numbers[0] != numbers[1]


def test_refusals_carry_a_number_too(observed):
    for method, path in (("GET", "/nowhere"), ("POST", "/infer/nonesuch"), ("PUT", "/model/anomaly")):
        answer = requests.request(method, observed.running.url + path, timeout=60)
        assert answer.status_code >= 400
        assert observed.logged(answer.headers["x-request-id"])[-1]["status"] == answer.status_code


def test_a_job_is_named_in_what_is_logged_of_it(observed, observed_jobs, unseen):
    answer = observed_jobs.post(unseen(observed.running.scan), params={"model": "nonesuch"})
    job = answer.json()["id"]
    observed_jobs.until(job, lambda state: state["state"] == "failed")
    (access,) = (entry for entry in observed.logged(answer.headers["x-request-id"]) if "route" in entry)
    assert access["route"] == "/anomaly/jobs" and access["job"] == job


def test_no_scan_is_named(observed, tmp_path):
    server, url = observed.running, observed.running.url
    header = nib.Nifti1Image(np.zeros((1, 1, 1), np.int16), np.eye(4)).header
    header.set_data_shape((400, 400, 300))
    scan = tmp_path / "Jane_Doe_1970.nii.gz"
    scan.write_bytes(gzip.compress(header.binaryblock + bytes(4)))
    refused = [server.ask(file=scan, output="json"), server.ask(image="Jane-Doe", output="json")]
    assert [answer.status_code for answer in refused] == [413, 404] and all("Doe" in answer.text for answer in refused)
    server.ask(image=server.image, output="json", params={"model": "nonesuch"})
    requests.get(f"{url}/patients/Jane-Doe", timeout=60)
    requests.post(f"{url}/activelearning/first", json={}, timeout=60)
    requests.get(f"{url}/datastore/image", params={"image": server.image}, timeout=60)
    for answer in refused:
        message = observed.logged(answer.headers["x-request-id"])[0]["message"]
        assert message.startswith(f"{answer.status_code} /infer/anomaly: ") and "[scan]" in message
    log = server.log.read_text()
    assert "Doe" not in log and server.image not in log


def test_the_route_of_logs_shows_it(observed):
    answer = requests.get(f"{observed.running.url}/logs/", params={"text": "true", "lines": 5}, timeout=60)
    assert all(json.loads(line)["message"] is not None for line in answer.text.splitlines())


def record(message, **arguments):
    return logging.LogRecord("x", logging.ERROR, __file__, 1, message, arguments.get("args"), arguments.get("exc_info"))


def test_a_stack_trace_is_one_field_without_names_and_can_be_read_again():
    begin({}, request="r", image="Jane Doe T1.nii.gz")
    try:
        raise InputError("Jane Doe T1.nii.gz is bad, as is /studies/Jane_Doe_T1.nii.gz; Jane Doe T1 came from 1.2.840.10008.5.1.4.1")
    except InputError:
        line = JsonLines().format(record("%s failed\nbadly", args=("Jane Doe T1",), exc_info=sys.exc_info()))
    entry = json.loads(line)
    assert "\n" not in line and entry["request"] == "r" and entry["message"] == "[scan] failed\nbadly"
    assert "Jane" not in line and "840" not in line
    end = r"^umaddpm_core\.errors\.InputError: \[scan\] is bad, as is \[scan\]; \[scan\] came from \[scan\]$"
    assert re.search(end, as_text(line), re.MULTILINE)
    assert as_text("no JSON\n17\n{}") == "no JSON\n17\n{}"


def test_other_words_stay():
    sentence = "422 /infer/{model}: torch 2.13.0 on 127.0.0.1, at 1.5 mm; see report.json"
    assert without_names(sentence) == sentence


def test_a_form_that_is_none_is_refused():
    assert asks_for_json({"UMADDPM_LOGS": " JSON "}) and not asks_for_json({}) and not asks_for_json({"UMADDPM_LOGS": "text"})
    with pytest.raises(InputError, match="UMADDPM_LOGS is 'xml'"):
        asks_for_json({"UMADDPM_LOGS": "xml"})


def test_what_ends_the_process_is_logged_as_well(tmp_path):
    log = tmp_path / "log.json"
    log.write_text(json.dumps({"version": 1, "formatters": {"json": {"()": "umaddpm_core.serving.operation.json_log.JsonLines"}},
                               "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.__stdout__", "formatter": "json"}},
                               "root": {"level": "INFO", "handlers": ["out"]}}))  # fmt: skip
    command = [sys.executable, "-m", "umaddpm_core.serving.operation.start", "start_server", "--log_config", str(log)]
    ended = subprocess.run([*command, "--app", str(tmp_path), "--studies", str(tmp_path), "--uvicorn_app", "no.such.module:app"],
                           capture_output=True, text=True, timeout=300)  # fmt: skip
    entries = [json.loads(line) for line in ended.stdout.splitlines()]
    assert ended.returncode != 0 and any("no.such.module" in as_text(json.dumps(entry)) for entry in entries)
