"""Connecting to servers that are there, and to what is none."""

import json
import socket

import pytest
from AnomalyDetectionLib.widget.consent import agreed
from AnomalyDetectionLib.client import Address


def test_connected_panel_says_to_what_and_folds_into_one_line(connected, server):
    text = connected.ui.statusLabel.text()
    assert text.startswith(f"Connected to {server.url}") and "version" in text
    assert connected.ui.connectionForm.isHidden() and not connected.ui.changeConnectionButton.isHidden()
    assert connected.desktop.settings["addresses"] == server.url
    models = [connected.ui.modelBox.itemText(index) for index in range(connected.ui.modelBox.count())]
    assert models[0] == "as the server is set" and len(models) > 1
    connected.ui.changeConnectionButton.click()
    assert not connected.ui.connectionForm.isHidden()


def test_server_that_loads_its_model_is_asked_again_until_it_is_ready(shown, odd_server):
    """A double, as the real one loads in a moment."""
    loading = [True, True, False]

    def behave(connection, server):
        path = server.read_head(connection).split(b" ")[1].split(b"?")[0]
        busy = path == b"/ready" and loading.pop(0)
        body = json.dumps({"version": "1", "models": {"anomaly": {}}} if path == b"/info/" else {}).encode()
        head = b"503 Loading" if busy else b"200 OK"
        connection.sendall(b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (head, len(body)) + body)

    shown.panel.connection._again.setInterval(20)
    shown.connect(odd_server(behave).url)
    assert "loading its model" in shown.ui.statusLabel.text()
    shown.until(lambda: "loading" not in shown.ui.statusLabel.text())
    assert loading == [] and not shown.panel.connection._again.isActive()


def test_token_is_written_nowhere(shown, server):
    shown.ui.tokenEdit.setText("a-secret-token")
    shown.connect(server.url)
    assert "a-secret-token" not in str(shown.desktop.settings) and shown.session.client is not None
    assert shown.ui.tokenEdit.echoMode() == shown.ui.tokenEdit.EchoMode.Password


def test_addresses_that_worked_are_remembered_the_last_first(shown, server):
    shown.desktop.settings["addresses"] = f"http://old.example\n{server.url}"
    shown.connect(server.url)
    assert shown.desktop.settings["addresses"].split("\n") == [server.url, "http://old.example"]
    assert shown.ui.addressBox.currentText() == server.url


@pytest.mark.parametrize("address, words", [("no address", "no address of a server"), ("ftp://x", "no address of a server")])
def test_what_is_no_address_is_told_without_asking_anybody(shown, address, words):
    shown.connect(address)
    assert words in shown.ui.statusLabel.text() and "addresses" not in shown.desktop.settings


def test_server_that_is_not_there_is_told_in_words(shown):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    shown.connect(url)
    assert "Nothing listens" in shown.ui.statusLabel.text() and shown.session.client is None
    assert not shown.ui.connectionForm.isHidden()


def test_certificate_file_that_is_none_is_refused(shown, tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    shown.ui.caFileEdit.setCurrentPath(str(tmp_path / "ca.pem"))
    shown.connect("https://127.0.0.1:1")
    assert "no certificate" in shown.ui.statusLabel.text()


def test_consent_names_the_address_and_is_asked_once_for_each(desktop):
    one, other = Address.of("https://scanner.example"), Address.of("http://10.0.0.7:8000")
    assert agreed(desktop, one) and agreed(desktop, one)
    assert len(desktop.questions) == 1 and str(one) in desktop.questions[0] and "not encrypted" not in desktop.questions[0]
    desktop.agreeing = False
    assert not agreed(desktop, other) and not agreed(desktop, other)
    assert len(desktop.questions) == 3 and str(other) in desktop.questions[1] and "not encrypted" in desktop.questions[1]
