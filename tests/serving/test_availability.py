"""The server stays responsive while it infers, and stops work that nobody waits for."""

import http.client
import select
import time
from urllib.parse import urlsplit

import requests
from requests import Request


def start_inference(server, scan) -> http.client.HTTPConnection:
    """Send a request for a detection completely, and leave the answer unread."""
    address = urlsplit(server.url)
    files = {"file": (scan.name, scan.read_bytes())}
    prepared = Request("POST", f"{server.url}/infer/anomaly", files=files).prepare()
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=600)
    connection.request("POST", "/infer/anomaly?output=json", body=prepared.body, headers=dict(prepared.headers))
    return connection


def has_answered(connection: http.client.HTTPConnection) -> bool:
    return bool(select.select([connection.sock], [], [], 0)[0])


def test_info_is_answered_while_an_earlier_inference_still_runs(server, unseen_scan):
    inference = start_inference(server, unseen_scan())
    for _ in range(5):
        assert requests.get(f"{server.url}/info/", timeout=60).status_code == 200
        assert not has_answered(inference)
    response = inference.getresponse()
    assert response.status == 200
    response.read()
    inference.close()


def test_inferences_are_done_one_after_the_other(server, unseen_scan):
    waiting = [start_inference(server, unseen_scan()) for _ in range(2)]
    select.select([inference.sock for inference in waiting], [], [], 600)
    first, second = sorted(waiting, key=has_answered, reverse=True)
    assert has_answered(first) and not has_answered(second)
    for inference in (first, second):
        response = inference.getresponse()
        assert response.status == 200
        response.read()
        inference.close()


def test_inference_stops_when_the_client_hangs_up(server, unseen_scan):
    before = server.log.read_text().count("499 /infer/anomaly")
    inference = start_inference(server, unseen_scan())
    requests.get(f"{server.url}/info/", timeout=60)
    inference.close()
    deadline = time.monotonic() + 60
    while server.log.read_text().count("499 /infer/anomaly") == before:
        assert time.monotonic() < deadline, "the server went on working for a client that is gone"
        time.sleep(0.1)
