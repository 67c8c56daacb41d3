"""The client, where something else answers at the address of the server."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from umaddpm_core.errors import InputError
from umaddpm_core.serving.client import Client


@pytest.fixture
def answering():
    """Starts something that answers every request so; returns its address."""
    started = []

    def start(status, body, **headers):
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        started.append(ThreadingHTTPServer(("127.0.0.1", 0), Answer))
        threading.Thread(target=started[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{started[-1].server_port}"

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


def test_an_answer_that_leads_elsewhere_is_none(answering):
    client = Client(answering(302, b"", Location="https://login.example/"))
    assert not client.is_ready()
    for ask in (client.info, client.images):
        with pytest.raises(InputError, match=r"answered 302: Found"):
            ask()


def test_what_is_no_json_is_one_sentence(answering):
    client = Client(answering(200, b"<html>Welcome</html>"))
    for ask in (client.info, client.images):
        with pytest.raises(InputError, match=r"no server of this program\.$"):
            ask()
