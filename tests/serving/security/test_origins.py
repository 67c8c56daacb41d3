"""Web pages of other sites, and names that are not this server's."""

import pytest
import requests
from attacks import ORIGIN, assert_refused

EVIL = "http://evil.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


@pytest.mark.parametrize("origin", [EVIL, "null", "http://127.0.0.1:1", "file://", f"{ORIGIN}.evil.example", "http://[", ""])
def test_other_origins_are_refused_with_and_without_tokens(server, guarded, origin):
    for url, headers in ((server.url, {}), (guarded.url, {"Authorization": f"Bearer {guarded.tokens['admin']}"})):
        for method in ("GET", "POST", "OPTIONS"):
            answer = requests.request(method, f"{url}/info/", headers={"Origin": origin, **PREFLIGHT, **headers}, timeout=30)
            assert answer.status_code in (400, 403)
            assert "access-control-allow-origin" not in answer.headers


def test_the_listed_origin_may_ask_from_a_browser(guarded):
    preflight = guarded.ask("OPTIONS", "/infer/anomaly", role=None, headers={"Origin": ORIGIN, **PREFLIGHT})
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in preflight.headers
    answer = guarded.ask("GET", "/info/", role="read", headers={"Origin": ORIGIN})
    assert answer.status_code == 200 and answer.headers["access-control-allow-origin"] == ORIGIN
    # The page has to be able to read why it was refused.
    refused = guarded.ask("GET", "/info/", role=None, headers={"Origin": ORIGIN})
    assert_refused(refused, 401)
    assert refused.headers["access-control-allow-origin"] == ORIGIN


def test_a_preflight_for_another_header_is_refused(guarded):
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-other"}
    assert guarded.ask("OPTIONS", "/info/", role=None, headers=headers).status_code == 400


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "", "[", "a@b"])
def test_a_name_that_was_bound_to_this_computer_from_outside_is_refused(server, host):
    answer = requests.get(f"{server.url}/info/", headers={"Host": host}, timeout=30)
    assert answer.status_code in (400, 421)
    if host:
        assert_refused(answer, answer.status_code)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:8000", "localhost."])
def test_this_computers_own_names_are_answered(server, host):
    assert requests.get(f"{server.url}/info/", headers={"Host": host}, timeout=30).status_code == 200


def test_with_tokens_the_name_does_not_matter(guarded):
    assert guarded.ask("GET", "/info/", headers={"Host": "ai.hospital.example"}).status_code == 200


def test_without_tokens_nothing_is_answered_that_a_proxy_hands_on(server):
    for header in ({"X-Forwarded-For": "192.0.2.7"}, {"Forwarded": "for=192.0.2.7"}):
        assert_refused(requests.get(f"{server.url}/info/", headers=header, timeout=30), 403, "proxy")
