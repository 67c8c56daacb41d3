"""A job from the request to the result, on a real server."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import requests
import SimpleITK as sitk

RESULTS = {"mask", "reconstruction", "model_output", "anomaly_map", "examined", "structures", "report", "overview"}


def voxels(content, path):
    path.write_bytes(content)
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def assert_is_refused(response, status, about):
    assert response.status_code == status, response.text
    detail = response.json()["detail"]
    assert isinstance(detail, str) and "\n" not in detail and detail.endswith(".") and about in detail


def test_job_tells_its_progress_and_gives_what_the_synchronous_route_gives(server, jobs, unseen_scan, tmp_path):
    scan, low = unseen_scan(), {"threshold": 0.02}
    response = jobs.post(scan, low)
    assert response.status_code == 202
    job = response.json()["id"]
    assert response.headers["location"] == response.json()["links"]["self"] == f"/anomaly/jobs/{job}"
    seen = [jobs.running(job)]
    while seen[-1]["state"] == "running":
        seen.append(jobs.state(job))
        time.sleep(0.01)
    done = seen[-1]
    assert done["state"] == "done" and done["error"] is None and not done["from_memory"]
    running = [state for state in seen if state["state"] == "running"]
    steps = [state["step"] for state in running]
    assert steps == sorted(steps) and len(set(steps)) > 2 and done["step"] == done["steps"] >= max(steps)
    assert "repainting it as healthy" in {state["phase"] for state in running}
    assert done["scan"] == scan.name and done["parameters"] == low
    assert done["created"] <= done["started"] <= done["ended"]

    assert RESULTS | {"self"} == done["links"].keys()
    files = {name: requests.get(server.url + done["links"][name], timeout=60) for name in RESULTS}
    assert all(file.status_code == 200 for file in files.values())
    assert files["overview"].content.startswith(b"\x89PNG") and files["overview"].headers["content-type"] == "image/png"
    report = json.loads(files["report"].content)
    answer = server.ask(file=scan, output="image", params=low)
    mask = voxels(answer.content, tmp_path / "synchronous.nii.gz")
    assert mask.any()
    np.testing.assert_array_equal(voxels(files["mask"].content, tmp_path / "job.nii.gz"), mask)
    score_map = voxels(files["anomaly_map"].content, tmp_path / "map.nii.gz")
    assert score_map.shape == mask.shape and (score_map[mask > 0] > 0.02).all()
    # The same run: its timings are those of the job.
    assert server.ask(file=scan, output="json", params=low).json()["timings"] == report["timings"]


def test_job_computed_anew_equals_the_synchronous_answer(server, jobs, unseen_scan, tmp_path):
    low = {"threshold": 0.02}
    first = voxels(server.ask(file=unseen_scan(), output="image", params=low).content, tmp_path / "synchronous.nii.gz")
    done = jobs.done(jobs.submit(unseen_scan(), low))
    assert not done["from_memory"]
    np.testing.assert_array_equal(voxels(jobs.get(f"/{done['id']}/mask").content, tmp_path / "job.nii.gz"), first)


def test_second_request_and_another_threshold_are_answered_from_memory(jobs, unseen_scan):
    scan = unseen_scan()
    first = jobs.submit(scan)
    assert not jobs.done(first)["from_memory"]
    again, other = jobs.submit(scan), jobs.submit(scan, {"threshold": 0.02})
    assert jobs.done(again)["from_memory"] and jobs.done(other)["from_memory"]
    reports = [jobs.get(f"/{job}/report").json() for job in (first, again, other)]
    assert reports[0] == reports[1]
    assert reports[2]["timings"] == reports[0]["timings"] and reports[2]["threshold"]["value"] == 0.02
    masks = [jobs.get(f"/{job}/mask").content for job in (first, again, other)]
    assert masks[0] == masks[1] != masks[2]


def test_scan_can_be_an_image_of_the_datastore_or_of_a_session(server, jobs):
    with server.scan.open("rb") as stream:
        session = requests.put(f"{server.url}/session/", files={"files": (server.scan.name, stream)}, timeout=60).json()
    for job in (jobs.submit(image=server.image), jobs.submit(session_id=session["session_id"])):
        assert jobs.done(job)["scan"] == server.scan.name
        assert jobs.get(f"/{job}/examined").status_code == 200


@pytest.mark.parametrize(
    ("status", "request_", "about"),
    [
        (422, {}, "names no scan"),
        (404, {"image": "no_such_scan"}, "no_such_scan"),
        (404, {"session_id": "0f5c1a52"}, "session"),
        (422, {"image": "../case"}, "plain id"),
        (422, {"image": "IMAGE", "params": "{threshold:"}, "not JSON"),
        (422, {"image": "IMAGE", "params": {"threshold": [1]}}, "threshold"),
    ],
)
def test_bad_request_is_refused_and_leaves_no_job(server, jobs, status, request_, about):
    before = jobs.get().json()["jobs"]
    request_ = {key: server.image if value == "IMAGE" else value for key, value in request_.items()}
    assert_is_refused(jobs.post(**request_), status, about)
    assert len(jobs.get().json()["jobs"]) == len(before)


def test_upload_that_keeps_its_voxels_elsewhere_is_refused(jobs, tmp_path):
    path = tmp_path / "detached.nrrd"
    path.write_bytes(b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 8 8 8\ndata file: /etc/hostname\n\n")
    assert_is_refused(jobs.post(path), 422, path.name)


def test_upload_that_is_no_image_is_refused_at_once(jobs, tmp_path):
    path = tmp_path / "text.nii.gz"
    path.write_bytes(b"this is no image")
    assert_is_refused(jobs.post(path), 422, path.name)


def test_job_that_fails_says_why_in_a_sentence(server, jobs):
    job = jobs.submit(image=server.image, params={"model": "no_such_model"})
    failed = jobs.until(job, lambda state: state["state"] == "failed")
    assert "no_such_model" in failed["error"] and failed["error"].endswith(".") and "/" not in failed["error"]
    assert_is_refused(jobs.get(f"/{job}/mask"), 409, "failed")


@pytest.mark.parametrize("job", ["0" * 32, "x", "..%2f..%2fetc", "%00", "a" * 3000, "job.json", "é"])
def test_id_that_is_none_is_not_found(jobs, job):
    for response in (jobs.get(f"/{job}"), jobs.delete(job), jobs.get(f"/{job}/mask")):
        assert response.status_code in (404, 422)
        assert isinstance(response.json()["detail"], str)


def test_result_that_is_none_is_refused(server, jobs):
    job = jobs.submit(image=server.image)
    jobs.done(job)
    for name in ("job.json", "scan", "..%2fjob.json"):
        assert jobs.get(f"/{job}/{name}").status_code in (404, 422)


def test_ended_job_is_deleted_with_its_results(server, jobs):
    job = jobs.submit(image=server.image)
    jobs.done(job)
    folder = server.log.parent / "jobs" / job
    assert (folder / "results" / "mask.nii.gz").is_file()
    assert jobs.delete(job).status_code == 204
    assert not folder.exists()
    assert_is_refused(jobs.get(f"/{job}"), 404, job)
    assert_is_refused(jobs.get(f"/{job}/mask"), 404, job)
    assert job not in {one["id"] for one in jobs.get().json()["jobs"]}


def test_uploaded_scan_is_not_kept_beyond_its_job(server, jobs, unseen_scan):
    job = jobs.submit(unseen_scan())
    jobs.done(job)
    folder = server.log.parent / "jobs" / job
    assert {path.name for path in folder.iterdir()} == {"job.json", "results"}


def test_many_clients_lose_no_job(server, jobs, unseen_scan):
    scans = [unseen_scan() for _ in range(8)]

    def ask(scan):
        ids = [jobs.submit(scan), jobs.submit(scan, {"threshold": 0.02})]
        return [jobs.until(job, lambda state: state["state"] == "done", seconds=580) for job in ids]

    with ThreadPoolExecutor(8) as pool:
        states = [state for pair in pool.map(ask, scans) for state in pair]
    assert len({state["id"] for state in states}) == 16
    assert sum(not state["from_memory"] for state in states) == 8
    listed = [job["id"] for job in jobs.get().json()["jobs"]]
    assert {state["id"] for state in states} <= set(listed)
    for state in states:
        assert jobs.get(f"/{state['id']}/report").json()["scan"] == server.scan.name
