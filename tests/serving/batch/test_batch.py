"""Batch inference over the datastore of a real server."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import requests
import SimpleITK as sitk
from keyed_server import another

GOOD = {"first-T1", "small-T1"}
ROUTE = "/batch/infer/anomaly"


def index(keyed):
    return json.loads((keyed.studies / "datastore_v2.json").read_text())["objects"]


def kill(home):
    """End the server of a folder as a power failure does."""
    for process in psutil.Process().children(recursive=True):
        # Of an earlier test there may be one that has ended and was not waited for.
        if process.status() != psutil.STATUS_ZOMBIE and any(word.startswith(str(home)) for word in process.cmdline()):
            process.kill()
            process.wait()


def test_every_scan_is_examined_failures_are_recorded_and_what_is_done_is_not_done_again(keyed):
    everything = GOOD | {"broken-T1", "inverted-T1"}
    # What a stock client sends, whose defaults fail on a CPU.
    stock = {"device": "cuda", "multi_gpu": True, "gpus": "all", "logging": "WARNING", "save_label": True, "max_workers": 1}
    began = keyed.ask("tom", "POST", ROUTE, json=stock).json()
    # The broken scan may have failed before the answer was sent.
    assert began["status"] in ("SUBMITTED", "RUNNING") and began["total"] == began["left"] + began["failed"] == 4 and began["end_ts"] is None
    assert keyed.ask("tom", "POST", ROUTE, json={}).status_code == 429
    assert keyed.ask("ada", "GET", "/info/").status_code == 200
    ended = keyed.batch_ended()
    assert ended["status"] == "DONE" and ended["id"] == began["id"]
    assert (ended["done"], ended["failed"], ended["skipped"], ended["left"]) == (2, 2, 0, 0)
    failures = ended["failures"]
    assert failures.keys() == {"broken-T1", "inverted-T1"} and "cannot be judged" in failures["inverted-T1"]
    assert all(sentence.endswith(".") and "\n" not in sentence and "/" not in sentence for sentence in failures.values())
    assert len(ended["details"]) == 4 and ended["details"][0].startswith("1 / 4 => broken-T1 => failed: ")

    kept = index(keyed)
    assert {image for image in everything if kept[image]["labels"]} == everything - failures.keys()
    for image in everything:
        info = kept[image]["image"]["info"]
        assert info["batch"]["state"] == ("failed" if image in failures else "done")
        assert info["batch"]["reason"] == failures.get(image)
        if image not in failures:
            label = kept[image]["labels"]["original"]["info"]
            assert label["params"]["notice"] and label["params"]["model"] == info["anomaly"]["model"]
            mask, scan = (sitk.ReadImage(str(keyed.studies / folder / f"{image}.nii.gz")) for folder in ("labels/original", "."))
            assert mask.GetSize() == scan.GetSize() and mask.GetPixelID() == sitk.sitkUInt8
    chosen = keyed.ask("ada", "POST", "/activelearning/highest_score", json={}).json()
    assert chosen["id"] in everything - failures.keys() and chosen["score"] is not None

    unchanged = {"images": [*GOOD, "broken-T1"]}
    again = keyed.ask("tom", "POST", f"{ROUTE}?run_sync=true", json=unchanged).json()
    assert again["status"] == "DONE" and (again["skipped"], again["failed"], again["done"]) == (2, 1, 0)
    other = keyed.ask("tom", "POST", f"{ROUTE}?run_sync=true", json={"images": ["first-T1"], "threshold": 0.3}).json()
    assert (other["done"], other["total"]) == (1, 1)
    forced = {"images": ["first-T1"], "threshold": 0.3, "again": True}
    assert keyed.ask("tom", "POST", f"{ROUTE}?run_sync=true", json=forced).json()["done"] == 1
    assert len(keyed.recorded("batch examined", batch=began["id"], who="tom", outcome="done")) == 2
    assert keyed.recorded("batch examined", batch=began["id"], verdict="reject", outcome="failed")
    assert keyed.recorded("batch ended", batch=began["id"], outcome="DONE", done=2, failed=2)


def test_a_request_that_means_nothing_is_refused_in_a_sentence(keyed):
    for status, fields, about in (
        (404, {"images": ["nowhere"]}, "nowhere"),
        (422, {"images": "some"}, "images"),
        (422, {"max_batch_size": "two"}, "max_batch_size"),
        (422, {"label_tag": "final"}, "label_tag"),
        (422, {"result_extension": ".zip"}, "result_extension"),
        (422, {"model": "no_such_model"}, "no_such_model"),
    ):
        answer = keyed.ask("tom", "POST", ROUTE, json=fields)
        assert answer.status_code == status, (fields, answer.text)
        assert about in answer.json()["detail"] and answer.json()["detail"].endswith(".")
    assert keyed.ask("ada", "POST", ROUTE, json={}).status_code == 403
    assert keyed.ask("tom", "POST", f"{ROUTE}?images=labeled&run_sync=true", json={}).json()["total"] == 0
    assert list(keyed.ask("tom", "POST", f"{ROUTE}?run_sync=true", json={"max_batch_size": 1}).json()["images"]) == ["broken-T1"]


def test_a_batch_can_be_stopped_and_goes_on(keyed):
    fresh = {"threshold": 0.123, "images": sorted(GOOD)}
    began = keyed.ask("tom", "POST", ROUTE, json=fresh).json()
    keyed.until("tom", "/batch/infer", lambda state: state["done"] >= 1 or state["examining"])
    stopped = keyed.ask("tom", "DELETE", "/batch/infer/").json()
    assert stopped["id"] == began["id"]
    stopped = keyed.batch_ended()
    assert keyed.ask("tom", "DELETE", "/batch/infer").json() is None
    assert keyed.ask("tom", "GET", "/batch/infer?check_if_running=true").status_code == 404
    on = keyed.ask("tom", "POST", f"{ROUTE}?run_sync=true", json=fresh).json()
    assert on["status"] == "DONE" and on["skipped"] == stopped["done"] and on["done"] == 2 - stopped["done"]


def test_a_batch_that_was_killed_lost_nothing_and_goes_on(serve, oblique_scan, tmp_path):
    studies = tmp_path / "home" / "studies"
    studies.mkdir(parents=True)
    for number, name in enumerate(("a-T1", "b-T1")):
        another(oblique_scan, studies / f"{name}.nii.gz", number)
    with serve(tmp_path / "home") as server:
        route = f"{server.url}/batch/infer"
        assert requests.get(route, timeout=60).status_code == 404
        requests.post(f"{route}/anomaly", json={"images": ["a-T1", "b-T1"]}, timeout=60).raise_for_status()
        while requests.get(route, timeout=60).json()["done"] < 1:
            time.sleep(0.02)
        kill(tmp_path / "home")
    with serve(tmp_path / "home") as server:
        route = f"{server.url}/batch/infer"
        left = requests.get(route, timeout=60).json()
        assert left["status"] == "STOPPED" and left["done"] >= 1 and left["done"] + left["left"] == 2 and "goes on" in left["error"]
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(requests.post, f"{route}/anomaly?run_sync=true", json={"images": ["a-T1", "b-T1"]}, timeout=300)
            # Who waits for the end of a batch keeps the server from nothing.
            while left["left"] and not requests.get(route, timeout=60).json()["examining"] and not waiting.done():
                time.sleep(0.02)
            assert not waiting.done() or not left["left"]
            on = waiting.result().json()
        assert on["status"] == "DONE" and on["skipped"] == left["done"] and on["done"] == left["left"]
        assert sorted(path.name for path in (studies / "labels" / "original").iterdir()) == ["a-T1.nii.gz", "b-T1.nii.gz"]
