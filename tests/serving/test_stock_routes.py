"""Stock routes as this server has them: nothing waits on the event loop, and no request leaves a file behind."""

import io
import json
import os
import subprocess
import sys
import zipfile

import pytest
import requests

from umaddpm_core.serving.checkout import app_folder, repository_root

COROUTINES = """
import inspect
from fastapi.routing import iter_route_contexts
from umaddpm_core.serving.asgi import app
working = ("/session", "/datastore", "/activelearning", "/scoring", "/train")
found = [(route.path, route.endpoint) for route in iter_route_contexts(app.routes) if route.path.startswith(working)]
assert {path.split("/")[1] for path, _ in found} == {prefix[1:] for prefix in working}
print("ROUTES", *(path for path, endpoint in found if inspect.iscoroutinefunction(endpoint)))
"""


def test_no_route_that_works_with_files_does_so_on_the_event_loop(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(repository_root()), "MONAI_LABEL_APP_DIR": str(app_folder()),
                   "MONAI_LABEL_STUDIES": str(tmp_path), "HOME": str(tmp_path)}  # fmt: skip
    listed = subprocess.run([sys.executable, "-c", COROUTINES], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert listed.stdout.split("ROUTES")[-1].split() == [], listed.stderr


def test_a_refused_upload_leaves_nothing(server):
    before, scan = server.temporary_files(), server.scan.read_bytes()
    refused = [
        ("/datastore/image", {"image": server.image}, {}, "file"),
        ("/datastore/image", {"image": "new"}, {"anomaly": {"score": "x"}}, "file"),
        ("/datastore/label", {"image": "nobody"}, {}, "label"),
        ("/datastore/label", {"image": server.image}, {"review": "x"}, "label"),
    ]
    for path, query, params, field in refused:
        answer = requests.put(
            f"{server.url}{path}", params=query, data={"params": json.dumps(params)}, files={field: ("scan.nii.gz", scan)}, timeout=60
        )
        assert answer.status_code in (404, 422) and answer.json()["detail"].endswith("."), answer.text
        assert server.temporary_files() == before


def damaged() -> bytes:
    """A zip archive of which the content does not fit its check sum, which shows while it is unpacked."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("1.dcm", b"A" * 10_000)
        archive.writestr("2.dcm", b"B" * 10_000)
    return stream.getvalue().replace(b"B" * 100, b"C" * 100, 1)


def test_a_damaged_archive_leaves_nothing_and_a_whole_one_only_its_session(server):
    before = server.temporary_files()
    ask = {"url": f"{server.url}/session/", "params": {"uncompress": "true"}, "timeout": 60}
    answer = requests.put(files={"files": ("scan.zip", damaged())}, **ask)
    assert answer.status_code == 422 and "damaged" in answer.json()["detail"]
    assert server.left_only(before)
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    answer = requests.put(files={"files": ("scan.zip", empty.getvalue())}, **ask)
    assert answer.status_code == 422 and "no file" in answer.json()["detail"] and server.left_only(before)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.write(server.scan, server.scan.name)
    answer = requests.put(files={"files": ("scan.zip", whole.getvalue())}, **ask)
    assert answer.status_code == 200, answer.text
    assert server.ask(session_id=answer.json()["session_id"], output="json").status_code in (200, 422)
    assert requests.delete(f"{server.url}/session/{answer.json()['session_id']}", timeout=60).status_code == 200
    assert server.left_only(before)


def test_several_files_are_one_session_and_one_file_keeps_its_name(server):
    before, scan = server.temporary_files(), server.scan.read_bytes()
    for names in (["a.nii.gz", "b.nii.gz"], ["/home/ada/scan.nii.gz"]):
        answer = requests.put(f"{server.url}/session/", files=[("files", (name, scan)) for name in names], timeout=60).json()
        image = os.path.basename(answer["session_info"]["image"])
        assert image == ("scan.nii.gz" if len(names) == 1 else "scan")
        requests.delete(f"{server.url}/session/{answer['session_id']}", timeout=60)
    assert server.left_only(before)


def test_a_data_set_that_was_sent_is_deleted(server):
    before = server.temporary_files()
    files = {"label": ("mask.nii.gz", server.scan.read_bytes())}
    saved = requests.put(f"{server.url}/datastore/label", params={"image": server.image, "tag": "final"}, files=files, timeout=60)
    assert saved.status_code == 200 and saved.json()["label"] == server.image
    try:
        answer = requests.get(f"{server.url}/datastore/dataset", timeout=60)
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            name = server.scan.name
            assert set(archive.namelist()) == {f"image/{name}", f"label/{name}", "metadata.json"}
            assert server.image in json.loads(archive.read("metadata.json"))["objects"]
    finally:
        server.forget(server.image, "final")
    assert server.left_only(before)


@pytest.mark.parametrize("figures", ["x", {"score": "x", "doubt": 1}])
def test_figures_that_no_case_could_be_ordered_by_are_refused(server, figures):
    info = {"info": json.dumps({"anomaly": figures})}
    answer = requests.put(f"{server.url}/datastore/image/info", params={"image": server.image}, data=info, timeout=60)
    assert answer.status_code == 422 and "`score`" in answer.json()["detail"]


def test_a_threshold_that_is_nothing_is_refused(server):
    answer = server.ask(image=server.image, output="json", params={"threshold": 1e-320})
    assert answer.status_code == 422 and "of no use" in answer.json()["detail"]
    assert requests.get(f"{server.url}/datastore/?output=all", timeout=60).status_code == 200
    assert requests.post(f"{server.url}/activelearning/highest_score", json={}, timeout=60).status_code == 200
