"""The server stays responsive while it infers."""

import http.client
import select

import requests
from soak.gone_clients import start_inference


def has_answered(connection: http.client.HTTPConnection) -> bool:
    return bool(select.select([connection.sock], [], [], 0)[0])


def test_info_is_answered_while_an_earlier_inference_still_runs(server, unseen_scan):
    inference = start_inference(server.url, unseen_scan())
    for _ in range(5):
        assert requests.get(f"{server.url}/info/", timeout=60).status_code == 200
        assert not has_answered(inference)
    response = inference.getresponse()
    assert response.status == 200
    response.read()
    inference.close()


def test_inferences_are_done_one_after_the_other(server, unseen_scan):
    waiting = [start_inference(server.url, unseen_scan()) for _ in range(2)]
    select.select([inference.sock for inference in waiting], [], [], 600)
    first, second = sorted(waiting, key=has_answered, reverse=True)
    assert has_answered(first) and not has_answered(second)
    for inference in (first, second):
        response = inference.getresponse()
        assert response.status == 200
        response.read()
        inference.close()
