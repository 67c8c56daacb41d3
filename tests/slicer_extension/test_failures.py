"""What the client says of servers that are not there, not ours, slow, or break off: every failure has a kind and a sentence."""

import json
import socket
import threading

import pytest
from AnomalyDetectionLib.client import (
    Address,
    BrokenOff,
    Busy,
    Cancellation,
    Cancelled,
    CertificateRefused,
    Client,
    ClientError,
    NotAllowed,
    NotOurServer,
    Refused,
    ServerFailed,
    Unreachable,
    WrongToken,
)
from AnomalyDetectionLib.client.form import BLOCK

TOKEN = "secret-of-the-hospital"


def answer(status, body=b"", **headers):
    """The bytes of an HTTP answer."""
    told = [f"{key.replace('_', '-')}: {value}" for key, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *told]).encode() + b"\r\n\r\n" + body


def detail(sentence):
    return json.dumps({"detail": sentence}).encode()


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        (" http://0.0.0.0:8000/ ", "http://127.0.0.1:8000"),
        ("https://scanner.example/anomaly/", "https://scanner.example/anomaly"),
        ("HTTPS://Scanner.Example:443", "https://scanner.example"),
        ("[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_address_is_taken_as_people_type_it(typed, url):
    assert str(Address.of(typed)) == url


@pytest.mark.parametrize("typed", ["", "   ", "http://", "ftp://host", "http://host:port", "http://a b", "http://ada:word@host"])
def test_what_is_no_address_is_refused_before_anything_is_sent(typed):
    with pytest.raises(Unreachable):
        Client(typed)


def test_only_https_and_this_computer_are_private():
    assert Address.of("https://scanner.example").is_private and Address.of("localhost:8000").is_private and Address.of("[::1]:8").is_private
    assert not Address.of("http://scanner.example").is_private and not Address.of("10.0.0.7:8000").is_private


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(Unreachable, match="Nothing listens"):
        Client(f"127.0.0.1:{port}").status()


def test_no_such_computer():
    with pytest.raises(Unreachable, match="no computer called"):
        Client("http://no-such-host.invalid").status()


def test_server_that_never_answers_is_given_up(odd_server):
    silent = odd_server(lambda connection, server: server.over.wait(60))
    with pytest.raises(Unreachable, match="said nothing"):
        Client(silent.url, answer_s=0.2).status()


@pytest.mark.parametrize(
    ("content", "kind", "about"),
    [
        (answer(200, b"<html>router</html>"), NotOurServer, "not a server"),
        (answer(200, b'{"models": ["a"]}'), NotOurServer, "without anomaly detection"),
        (answer(200, b'{"models": {"spleen": {}}}'), NotOurServer, "spleen"),
        (answer(200, b"[1]"), NotOurServer, "not a MONAI Label"),
        (answer(404, b"nothing here"), NotOurServer, "not a MONAI Label"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", NotOurServer, "does not speak http"),
        (b"", BrokenOff, "without an answer"),
        (answer(401, detail("This server does not know the token.")), WrongToken, "does not know the token"),
        (answer(403, detail("This needs the role train.")), NotAllowed, "role train"),
        (answer(422, detail("The threshold is none.")), Refused, "threshold is none"),
        (answer(413, b"<html>nginx</html>"), Refused, "413"),
        (answer(500, b"Internal Server Error"), ServerFailed, "does not say why"),
        (answer(502, b"<html>Bad gateway</html>"), NotOurServer, "proxy"),
        (answer(503, detail("The server is busy."), Retry_After="7"), Busy, "busy"),
        (answer(302, Location="/info/"), NotOurServer, "circles"),
    ],
)
def test_each_failure_has_its_kind_and_one_sentence(answering, content, kind, about):
    with pytest.raises(ClientError, match=about) as failure:
        Client(answering(content).url, token=TOKEN).status()
    assert type(failure.value) is kind
    sentence = str(failure.value)
    assert sentence.endswith((".", "?")) and "\n" not in sentence and TOKEN not in sentence
    if kind is Busy:
        assert failure.value.retry_after == 7


def test_server_that_does_not_speak_https_is_sent_nothing(odd_server):
    def answer_plainly(connection, server):
        server.received += connection.recv(65536)
        connection.sendall(answer(400))

    plain = odd_server(answer_plainly)
    with pytest.raises(CertificateRefused, match="No secure connection"):
        Client(plain.url.replace("http:", "https:"), token=TOKEN).status()
    assert TOKEN.encode() not in plain.received


def test_certificate_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(CertificateRefused, match=name):
            Client("https://scanner.example", ca_file=tmp_path / name)


def test_token_goes_to_the_server_and_no_further(answering):
    other = answering(answer(200, b'{"models": {"anomaly": {}}}'))
    first = answering(answer(307, Location=f"{other.url}/info/"))
    with pytest.raises(NotOurServer, match=f"on to {other.url}"):
        Client(first.url, token=TOKEN).status()
    assert f"Authorization: Bearer {TOKEN}".encode() in first.received
    assert not other.received


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ümlaut"])
def test_token_that_is_none_is_not_shown_in_the_error(token):
    with pytest.raises(WrongToken) as failure:
        Client("127.0.0.1", token=token)
    assert token not in str(failure.value)


def test_token_is_in_no_representation():
    client = Client("127.0.0.1:8000", token=TOKEN)
    assert TOKEN not in f"{client!r} {client._transport!r}" and "with a token" in repr(client)


def test_download_that_breaks_off_leaves_nothing(answering, tmp_path):
    half = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 5000)
    kept = tmp_path / "mask.nii.gz"
    kept.write_bytes(b"as it was")
    with pytest.raises(BrokenOff):
        Client(half.url)._transport.download("/anomaly/jobs/1/mask", kept)
    assert kept.read_bytes() == b"as it was" and list(tmp_path.iterdir()) == [kept]


def test_download_that_hangs_is_cancelled_and_leaves_nothing(odd_server, tmp_path):
    def half_and_wait(connection, server):
        server.read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (5 * BLOCK) + b"x" * BLOCK)
        server.over.wait(60)

    server, cancellation, shares = odd_server(half_and_wait), Cancellation(), []

    def received(share):
        shares.append(share)
        cancellation.set() if share >= 0.19 else None

    threading.Timer(2, cancellation.set).start()
    with pytest.raises(Cancelled):
        Client(server.url)._transport.download("/x", tmp_path / "mask.nii.gz", cancellation=cancellation, received=received)
    assert shares and list(tmp_path.iterdir()) == []


def test_upload_that_hangs_is_cancelled(odd_server, tmp_path):
    def take_a_little(connection, server):
        server.read_head(connection)
        server.reached.set()
        server.over.wait(60)

    server, cancellation = odd_server(take_a_little), Cancellation()
    scan = tmp_path / "scan.nii.gz"
    with scan.open("wb") as file:
        file.truncate(200 << 20)

    def stop_once_it_hangs():
        server.reached.wait(30)
        cancellation.set()

    threading.Thread(target=stop_once_it_hangs, daemon=True).start()
    with pytest.raises(Cancelled):
        Client(server.url, answer_s=60).submit(scan, cancellation=cancellation)
    assert len(server.received) < 1 << 20


def test_refusal_before_the_upload_is_over_is_heard(odd_server, tmp_path):
    def refuse(connection, server):
        server.read_head(connection)
        connection.sendall(answer(413, detail("A request can have 8 MB."), Connection="close"))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 20):
            pass

    scan = tmp_path / "scan.nii.gz"
    with scan.open("wb") as file:
        file.truncate(20 << 20)
    with pytest.raises(Refused, match="8 MB"):
        Client(odd_server(refuse).url).submit(scan)


def test_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(ClientError, match="gone.nii.gz"):
        Client("127.0.0.1:1").submit(tmp_path / "gone.nii.gz")


LISTED = {
    "default": "uma_ddpm-v1", "broken": {"raw": "It is not calibrated."},
    "models": [{"name": "uma_ddpm", "in_use": False}, {"name": "uma_ddpm-v1", "in_use": True}],
    "versions": {
        "uma_ddpm": {"in_use": "uma_ddpm-v1", "versions": ["uma_ddpm-v1"], "history": [{"action": "published"}], "candidate": None},
        "damaged": {"error": "Its history cannot be read."},
    },
}  # fmt: skip
"""As `GET /anomaly/models` answers; a double, because this version of the server may not have the route."""


def test_models_are_listed_and_changed_as_the_routes_say(answering):
    listing = answering(answer(200, json.dumps(LISTED).encode()))
    models = Client(listing.url).models()
    assert models.default == "uma_ddpm-v1" and set(models.models) == {"uma_ddpm", "uma_ddpm-v1"} and "raw" in models.broken
    assert models.versions["uma_ddpm"].versions == ("uma_ddpm-v1",) and models.versions["uma_ddpm"].candidate is None
    assert models.versions["damaged"].error == "Its history cannot be read." and models.versions["damaged"].versions == ()
    changing = answering(answer(200, b'{"name": "uma_ddpm", "in_use": null, "default": "uma_ddpm"}'))
    client = Client(changing.url)
    assert client.use_version("uma_ddpm", None, by="Ada") is client.roll_back("uma_ddpm") is client.publish("uma_ddpm", override=True) is None
    sent = bytes(changing.received)
    for line in (b"POST /anomaly/models/uma_ddpm/use ", b'{"version": null, "by": "Ada"}', b"/rollback ", b"/publish ", b'"override": true'):
        assert line in sent
    with pytest.raises(NotOurServer, match="another version"):
        Client(answering(answer(200, b'{"models": 3}')).url).models()


def test_training_is_told_with_its_log_and_figures(odd_server):
    """A double of the two stock routes; a training on the real server takes minutes."""
    task = {"id": "1", "request": {"model": "uma_ddpm"}, "status": "RUNNING", "start_ts": "2026-01-02 03:04:05"}
    task["details"] = ["epoch 1 of 3: loss 0.5"]
    info = {"models": {"anomaly": {}}, "train_stats": {"other": {"epoch": 9}, "uma_ddpm": {"epoch": 1, "total_epochs": 3}}}

    def behave(connection, server):
        head = server.read_head(connection)
        connection.sendall(answer(200, json.dumps(info if b"/info/" in head else task).encode()))

    state = Client(odd_server(behave).url).training()
    assert state.is_running and state.log == ("epoch 1 of 3: loss 0.5",) and state.started == task["start_ts"] and state.ended == ""
    assert state.figures == {"epoch": 1, "total_epochs": 3}
