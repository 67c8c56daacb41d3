"""With tokens a job is open to who asked for it and to administrators; and what came of it is recorded."""

from types import SimpleNamespace

import pytest

from umaddpm_core.serving.jobs.job import Job
from umaddpm_core.serving.jobs.ownership import is_open_to
from umaddpm_core.serving.security.roles import Role
from umaddpm_core.serving.security.tokens import Holder


def listed(keyed, who):
    return {job["id"] for job in keyed.ask(who, "GET", "/anomaly/jobs").json()["jobs"]}


@pytest.fixture(scope="module")
def ended(keyed):
    """Two jobs of Ada's: one done, one rejected."""
    done, rejected = keyed.job("ada", image="first-T1"), keyed.job("ada", image="inverted-T1")
    return SimpleNamespace(done=keyed.ended("ada", done), rejected=keyed.ended("ada", rejected))


def test_a_job_of_somebody_else_is_not_there(keyed, ended):
    job = ended.done["id"]
    assert ended.done["state"] == "done" and ended.done["owner"] == "ada" and ended.done["image"] == "first-T1"
    assert keyed.ask("ada", "GET", f"/anomaly/jobs/{job}/report").status_code == 200
    missing = keyed.ask("ben", "GET", f"/anomaly/jobs/{'0' * 32}").json()["detail"].replace("0" * 32, job)
    for who in ("ben", "tom"):
        for method, path in (("GET", ""), ("GET", "/mask"), ("GET", "/report"), ("DELETE", "")):
            answer = keyed.ask(who, method, f"/anomaly/jobs/{job}{path}")
            assert answer.status_code == 404 and answer.json()["detail"] == missing
        assert job not in listed(keyed, who)
    assert job in listed(keyed, "ada") and job in listed(keyed, "eve")
    assert keyed.ask("eve", "GET", f"/anomaly/jobs/{job}/mask").status_code == 200


def test_who_asked_for_it_or_an_administrator_deletes_it(keyed):
    jobs = {who: keyed.job("ben", image="first-T1") for who in ("ben", "eve")}
    for who, job in jobs.items():
        keyed.ended("ben", job)
        assert keyed.ask(who, "DELETE", f"/anomaly/jobs/{job}").status_code == 204
        assert keyed.ask("ben", "GET", f"/anomaly/jobs/{job}").status_code == 404


def test_what_a_job_found_is_recorded_with_who_asked_and_without_the_scan(keyed, ended):
    report = keyed.ask("ada", "GET", f"/anomaly/jobs/{ended.done['id']}/report").json()
    (submitted,) = keyed.recorded("POST /anomaly/jobs", job=ended.done["id"])
    (entry,) = keyed.recorded("job ended", job=ended.done["id"])
    assert entry["who"] == submitted["who"] == "ada" and entry["outcome"] == "done"
    assert entry["model"] == report["model"] and entry["threshold"] == report["threshold"]["value"]
    assert entry["verdict"] == report["quality"]["verdict"] and entry["findings"] == len(report["lesions"])
    assert entry["image"] == submitted["image"] and len(entry["image"]) == 64
    assert ended.rejected["state"] == "failed"
    (rejected,) = keyed.recorded("job ended", job=ended.rejected["id"])
    assert (rejected["outcome"], rejected["verdict"], rejected["who"]) == ("failed", "reject", "ada")
    text = "".join(file.read_text() for file in (keyed.home / "audit").iterdir())
    assert "first-T1" not in text and "inverted" not in text


@pytest.mark.parametrize(
    ("owner", "holder", "is_open"),
    [
        (None, None, True), ("ada", None, True),
        ("ada", Holder("ada", Role.infer, ""), True), ("ada", Holder("ben", Role.train, ""), False), ("ada", Holder("eve", Role.admin, ""), True),
        (None, Holder("ada", Role.infer, ""), False), (None, Holder("eve", Role.admin, ""), True),
    ],
)  # fmt: skip
def test_ownership_is_kept_with_the_job(owner, holder, is_open):
    kept = Job(scan="scan.nii.gz", parameters={}, owner=owner).as_dict()
    assert is_open_to(Job.from_dict(kept), holder) is is_open


def test_a_job_of_an_earlier_version_can_be_read():
    kept = Job(scan="scan.nii.gz", parameters={}).as_dict()
    for field in ("owner", "image", "digest"):
        del kept[field]
    assert Job.from_dict(kept).owner is None
