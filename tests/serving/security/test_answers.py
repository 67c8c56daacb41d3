"""No answer tells where files lie on the server, or shows a stack trace."""

import asyncio
import json

import pytest
import requests

from umaddpm_core.serving.security.answers import Answers


def test_no_answer_holds_a_place_of_the_server(guarded, mask_bytes):
    session = guarded.ask("PUT", "/session/", files={"files": ("scan.nii.gz", mask_bytes)})
    identifier = session.json()["session_id"]
    assert session.json()["session_info"]["image"] == "scan.nii.gz"
    label = guarded.ask("PUT", f"/datastore/label?image={guarded.image}&tag=told", files={"label": ("m.nii.gz", mask_bytes)})
    for answer in (
        session, label,
        guarded.ask("GET", f"/session/{identifier}"),
        guarded.ask("GET", f"/datastore/image/info?image={guarded.image}"),
        guarded.ask("GET", "/datastore/?output=train"),
        guarded.ask("GET", "/datastore/?output=all"),
        guarded.ask("GET", "/info/"),
        guarded.ask("GET", "/model/info/anomaly"),
        guarded.ask("POST", "/infer/anomaly", files={"file": ("a.nii.gz", b"x")}),
        guarded.ask("DELETE", f"/session/{identifier}"),
    ):  # fmt: skip
        assert str(guarded.home) not in answer.text and "/tmp" not in answer.text and "Traceback" not in answer.text
    info = guarded.ask("GET", f"/datastore/image/info?image={guarded.image}").json()
    assert info["path"] == f"{guarded.image}.nii.gz"


@pytest.mark.parametrize(("answered", "shown"), [
    ({"detail": "Log File /data/app/logs/app.log NOT Found"}, {"detail": "Log File app.log NOT Found"}),
    ({"path": "/data/app/my scans/Müller 1.nii.gz"}, {"path": "Müller 1.nii.gz"}),
    ({"detail": "'/data/app/a.nii': cannot"}, {"detail": "'a.nii': cannot"}),
    ({"detail": "/database/x"}, {"detail": "/database/x"}),
    ({"details": ["Traceback (most recent call last):", '  File "/data/app/a.py", line 3, in f', "    f()", "ValueError: x"]},
     {"details": ["ValueError: x"]}),
    ({"detail": "/data/app"}, {"detail": "(folder)"}),
])  # fmt: skip
def test_paths_become_names_and_traces_their_last_line(answered, shown):
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 500, "headers": [(b"content-type", b"application/json"), (b"content-length", b"1")]})
        body = json.dumps(answered, ensure_ascii=False).encode()
        await send({"type": "http.response.body", "body": body[:9], "more_body": True})
        await send({"type": "http.response.body", "body": body[9:]})

    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(Answers(application, ["/data/app"])({"type": "http", "path": "/", "method": "GET"}, None, send))
    assert json.loads(sent[1]["body"]) == shown
    assert dict(sent[0]["headers"])[b"content-length"] == str(len(sent[1]["body"])).encode()
