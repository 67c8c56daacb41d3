"""Tokens: their file, the command that makes them, and what the server answers without one."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from attacks import assert_refused, raw_request
from program import PROGRAM, environment
from umaddpm_core.errors import InputError
from umaddpm_core.serving.client import Client
from umaddpm_core.serving.security.roles import Role
from umaddpm_core.serving.security.tokens import (
    Tokens,
    add_token,
    configured_tokens,
    digest,
    is_loopback,
    read_holders,
    require_tokens,
)


def umaddpm(*arguments: str, folder, **settings: str) -> subprocess.CompletedProcess:
    return subprocess.run([*PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, env=environment(**settings), timeout=120)


def test_the_command_prints_a_token_once_and_keeps_only_its_hash(tmp_path):
    made = umaddpm("token", "reading-room", "--role", "infer", folder=tmp_path, UMADDPM_TOKENS="keys/tokens")
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    assert len(token) > 40 and "\n" not in token
    file = tmp_path / "keys" / "tokens"
    assert token not in file.read_text() and digest(token) in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    (holder,) = read_holders(file)
    assert (holder.name, holder.role) == ("reading-room", Role.infer)
    again = umaddpm("token", "reading-room", "--role", "read", "--file", "keys/tokens", folder=tmp_path)
    assert again.returncode == 2 and "reading-room already" in again.stderr
    nowhere = umaddpm("token", "x", "--role", "read", folder=tmp_path)
    assert nowhere.returncode == 2 and "--file" in nowhere.stderr


def test_tokens_made_at_the_same_time_are_all_kept(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda number: add_token(tmp_path / "tokens", f"n{number}", Role.read), range(16)))
    known = Tokens(tmp_path / "tokens", [])
    assert {known.holder(token).name for token in tokens} == {f"n{number}" for number in range(16)}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["tokens", "tokens.lock"]


def test_a_file_that_others_can_read_is_refused(tmp_path):
    add_token(tmp_path / "tokens", "a", Role.read)
    (tmp_path / "tokens").chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        read_holders(tmp_path / "tokens")


@pytest.mark.parametrize("line", ["a admin", "a root " + "0" * 64, "a admin abc", f"a read {'0' * 64}\na read {'1' * 64}"])
def test_a_line_that_means_nothing_is_refused(tmp_path, line):
    (tmp_path / "tokens").touch(0o600)
    (tmp_path / "tokens").write_text(line)
    with pytest.raises(InputError, match=r"Line \d|two entries"):
        read_holders(tmp_path / "tokens")


def test_a_token_whose_line_is_deleted_is_unknown_at_once(tmp_path):
    file = tmp_path / "tokens"
    token = add_token(file, "a", Role.read)
    known = Tokens(file, [])
    assert known.holder(token).name == "a" and known.holder(f"{token}x") is None
    file.write_text("")
    assert known.holder(token) is None
    other = add_token(file, "b", Role.read)
    file.chmod(0o644)
    assert known.holder(other) is None


def test_only_loopback_needs_no_token(tmp_path):
    assert not require_tokens("127.0.0.1", {}) and not require_tokens("localhost", {}) and not require_tokens("::1", {})
    for host in ("0.0.0.0", "::", "192.168.1.5", "scanner.hospital.example"):
        with pytest.raises(InputError, match="umaddpm token NAME"):
            require_tokens(host, {})
    assert require_tokens("0.0.0.0", {"UMADDPM_TOKEN": "a" * 40}).holder("a" * 40).role is Role.admin
    with pytest.raises(InputError, match="no good token"):
        configured_tokens({"UMADDPM_TOKEN": "short"})
    (tmp_path / "tokens").touch(0o600)
    with pytest.raises(InputError, match="holds none"):
        configured_tokens({"UMADDPM_TOKENS": str(tmp_path / "tokens")})
    assert is_loopback("[::1]") and is_loopback("::ffff:127.0.0.1") and not is_loopback("127.0.0.1.evil.example")


def test_serve_refuses_to_listen_to_others_without_tokens(tmp_path):
    environment = {"UMADDPM_TOKEN": "", "UMADDPM_TOKENS": ""}
    refused = umaddpm("serve", "--host", "0.0.0.0", folder=tmp_path, **environment)
    assert refused.returncode == 2 and "umaddpm token NAME" in refused.stderr and refused.stderr.count("\n") == 1
    half = umaddpm("serve", "--ssl-certfile", __file__, folder=tmp_path, **environment)
    assert half.returncode == 2 and "--ssl-keyfile" in half.stderr


def test_without_a_token_nothing_is_told(guarded):
    for method, path in (("GET", "/info/"), ("POST", "/reload"), ("GET", "/openapi.json"), ("GET", "/"), ("GET", "/nowhere")):
        response = guarded.ask(method, path, role=None)
        assert_refused(response, 401, "Bearer")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "Basic YWRtaW46YWRtaW4=", "TOKEN", "bearer TOKEN x"])
def test_what_is_no_token_is_refused(guarded, header):
    header = header.replace("TOKEN", guarded.tokens["admin"])
    assert_refused(guarded.ask("GET", "/info/", role=None, headers={"Authorization": header}), 401)


def test_two_tokens_are_none(guarded):
    import http.client

    connection = http.client.HTTPConnection(guarded.url.removeprefix("http://"), timeout=60)
    connection.putrequest("GET", "/info/")
    for role in ("read", "admin"):
        connection.putheader("Authorization", f"Bearer {guarded.tokens[role]}")
    connection.endheaders()
    assert connection.getresponse().status == 401


def test_a_token_in_the_address_is_none(guarded):
    assert guarded.ask("GET", f"/info/?token={guarded.tokens['admin']}&access_token={guarded.tokens['admin']}", role=None).status_code == 401


def test_the_token_of_the_environment_allows_everything(guarded):
    response = guarded.ask("GET", "/logs/?lines=5", role=None, headers={"Authorization": f"Bearer {guarded.token}"})
    assert response.status_code == 200


def test_our_client_shows_its_token(guarded):
    assert "anomaly" in Client(guarded.url, guarded.tokens["read"]).info()["models"]
    with pytest.raises(InputError, match="asks for a token"):
        Client(guarded.url).info()


def test_a_token_made_while_the_server_runs_is_known_and_forgotten_with_its_line(guarded):
    before = guarded.tokens_file.read_text()
    token = add_token(guarded.tokens_file, "guest", Role.read)
    header = {"Authorization": f"Bearer {token}"}
    assert guarded.ask("GET", "/info/", role=None, headers=header).status_code == 200
    guarded.tokens_file.write_text(before)
    assert guarded.ask("GET", "/info/", role=None, headers=header).status_code == 401


def test_tokens_stand_in_no_log(guarded):
    guarded.ask("GET", "/info/", role="read")
    guarded.ask("GET", "/info/", role=None, headers={"Authorization": "Bearer guessed-token-of-somebody"})
    logs = [guarded.log, *guarded.audit.parent.iterdir(), *(guarded.home / "app" / "logs").iterdir()]
    for text in (log.read_text() for log in logs):
        assert guarded.token not in text and "guessed-token" not in text
        assert not any(token in text for token in guarded.tokens.values())


def test_jobs_of_the_server_know_their_own_token_and_not_that_for_everything(guarded, monkeypatch):
    """MONAI Label's jobs ask the server for the next one by `MONAILabelApp._local_request`, which sends no token."""
    from umaddpm_core.serving.security.callbacks import ADDRESS_VARIABLE, OWN_TOKEN_VARIABLE, ask_own_server

    def environment_of_the_server() -> dict[str, str]:
        for folder in os.listdir("/proc"):
            try:
                with open(f"/proc/{folder}/environ", "rb") as stream:
                    pairs = dict(pair.split("=", 1) for pair in stream.read().decode().split("\0") if "=" in pair)
            except (OSError, UnicodeDecodeError):
                continue
            if pairs.get(ADDRESS_VARIABLE) == guarded.url:
                return pairs
        raise AssertionError("no process of the server was found")

    environment = environment_of_the_server()
    monkeypatch.setenv(ADDRESS_VARIABLE, guarded.url)
    monkeypatch.setenv(OWN_TOKEN_VARIABLE, environment[OWN_TOKEN_VARIABLE])
    assert "agreement" in ask_own_server("/scoring/", {}, "Scoring", 1)
    monkeypatch.delenv(OWN_TOKEN_VARIABLE)
    assert ask_own_server("/scoring/", {}, "Scoring", 1) is None
    assert requests.post(f"{guarded.url}/scoring/", json={}, timeout=30).status_code == 401
    own = {"Authorization": f"Bearer {environment[OWN_TOKEN_VARIABLE]}"}
    assert guarded.ask("POST", "/reload", role=None, headers=own).status_code == 403


def test_websockets_are_closed(guarded):
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "eA=="}
    status, _, _ = raw_request(guarded.url, "GET", "/info/", upgrade)
    assert status in (401, 403, 426)
