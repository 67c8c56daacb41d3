"""What is told of a request is told once, and before the client can have the whole answer."""

import asyncio

import pytest

from umaddpm_core.serving.watching import CLIENT_CLOSED_REQUEST, watched

START = {"type": "http.response.start", "status": 200, "headers": []}
PIECE = {"type": "http.response.body", "body": b"a", "more_body": True}
END = {"type": "http.response.body", "body": b"b"}


def order_of(*messages, fails=False):
    """What is sent and told, in its order, by an application that sends these messages and then may fail."""
    seen = []

    async def app(scope, receive, send):
        for message in messages:
            await send(message)
        if fails:
            raise ValueError("broken")

    async def send(message):
        seen.append(message)

    def told(status, seconds):
        assert seconds >= 0
        seen.append(status)

    try:
        asyncio.run(watched(app, {"type": "http"}, None, send, told))
    except ValueError:
        assert fails
    return seen


@pytest.mark.parametrize("fails", [False, True])
def test_an_answer_is_told_before_its_last_piece_goes_out(fails):
    assert order_of(START, PIECE, END, fails=fails) == [START, PIECE, 200, END]


def test_a_failure_in_the_middle_of_an_answer_is_told_as_one():
    assert order_of(START, PIECE, fails=True) == [START, PIECE, 500]


def test_a_request_without_an_answer_is_told_as_nobody_waiting():
    assert order_of() == [CLIENT_CLOSED_REQUEST]
