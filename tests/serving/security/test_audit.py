"""The audit log says who asked for what, and not whose scan it was."""

import json
import re

import pytest
import SimpleITK as sitk
from attacks import assert_refused

from umaddpm_core.serving.security.audit_log import KEPT, AuditLog


def records(guarded) -> list[dict]:
    older = sorted(guarded.audit.parent.glob("audit.jsonl.*[0-9]"), key=lambda file: -int(file.suffix[1:]))
    files = [*older, guarded.audit] if guarded.audit.exists() else older
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def recorded(guarded, *request, **arguments) -> tuple[dict, object]:
    """The record of a request, which is written before the end of its answer, and the answer."""
    before = len(records(guarded))
    answer = guarded.ask(*request, **arguments)
    assert len(records(guarded)) > before
    return records(guarded)[-1], answer


def test_a_detection_is_recorded_with_who_model_threshold_and_verdict(guarded):
    path = f"/infer/anomaly?image={guarded.image}&output=json"
    record, answer = recorded(guarded, "POST", path, role="infer", data={"params": '{"threshold": 0.25}'})
    report = answer.json()
    assert record["who"] == "inferer" and record["what"] == "POST /infer/{model}" and record["status"] == 200
    assert record["model"] == report["model"] and record["threshold"] == pytest.approx(0.25)
    assert record["verdict"] == report["quality"]["verdict"]
    assert record["when"].endswith("+00:00") and record["seconds"] >= 0
    assert len(record["image"]) == 64


def test_a_change_of_the_model_in_use_is_recorded_with_the_name_of_the_token(guarded):
    change = {"version": None, "by": "somebody else"}
    record, answer = recorded(guarded, "POST", "/anomaly/models/uma_ddpm/use", role="train", json=change)
    assert answer.status_code == 200 and record["what"] == "POST /anomaly/models/{name}/use"
    assert record["who"] == "trainer" and record["action"] == "put in use" and record["model"] == "the server's own"
    versions = guarded.ask("GET", "/anomaly/models", role="read").json()["versions"]
    assert versions["uma_ddpm"]["history"][-1]["by"] == "trainer"


def test_the_same_image_has_the_same_hash_and_no_name_is_written(guarded):
    first, second = (recorded(guarded, "GET", f"/datastore/image?image={guarded.image}", role=role)[0] for role in ("read", "admin"))
    assert first["image"] == second["image"] and (first["who"], second["who"]) == ("reader", "adminer")
    recorded(guarded, "GET", "/datastore/image?image=Jane-Doe-1970")
    recorded(guarded, "POST", "/infer/anomaly", files={"file": ("John-Doe.nii.gz", b"x")})
    text = "".join(file.read_text() for file in guarded.audit.parent.iterdir())
    assert guarded.image not in text and "Doe" not in text


def test_refusals_are_recorded_and_open_routes_are_not(guarded):
    record, _ = recorded(guarded, "POST", "/reload", role="read")
    assert record["who"] == "reader" and record["status"] == 403
    record, _ = recorded(guarded, "GET", "/nowhere/Jane-Doe", role=None)
    assert re.fullmatch(r"[0-9a-f]{16}", record.pop("request"))
    assert record | {"when": 0, "seconds": 0} == {"when": 0, "who": None, "what": "GET ?", "status": 401, "seconds": 0}
    before = len(records(guarded))
    guarded.ask("GET", "/health", role=None)
    assert len(records(guarded)) == before


def test_the_log_is_begun_anew_when_it_has_grown_large(guarded):
    for _ in range(200):
        guarded.ask("GET", "/nowhere", role=None)
    older = list(guarded.audit.parent.glob("audit.jsonl.[0-9]*"))
    assert older
    assert all(file.stat().st_size <= 16 << 10 for file in (*older, guarded.audit))
    assert all(file.stat().st_mode & 0o077 == 0 for file in guarded.audit.parent.iterdir())


def test_only_so_many_older_files_are_kept(tmp_path):
    log = AuditLog(tmp_path / "audit.jsonl", largest=20)
    for number in range(KEPT + 5):
        log.append({"number": number})
    assert len(list(tmp_path.glob("audit.jsonl.*"))) == KEPT
    assert json.loads((tmp_path / "audit.jsonl.1").read_text())["number"] == KEPT + 3


def test_the_hash_needs_the_salt(tmp_path):
    one, other = AuditLog(tmp_path / "a" / "audit.jsonl", 1000), AuditLog(tmp_path / "b" / "audit.jsonl", 1000)
    assert one.hashed("x") != other.hashed("x")
    assert one.hashed("x") == AuditLog(tmp_path / "a" / "audit.jsonl", 1000).hashed("x")


def test_a_log_that_cannot_be_written_breaks_no_request_and_is_reported(guarded):
    kept = guarded.audit.parent.rename(guarded.home / "moved")
    try:
        guarded.audit.parent.write_text("in the way")
        assert guarded.ask("GET", "/info/", role="read").status_code == 200
        assert_refused(guarded.ask("POST", "/reload", role="read"), 403)
        assert "missing in the audit log" in guarded.log.read_text()
    finally:
        guarded.audit.parent.unlink()
        kept.rename(guarded.audit.parent)


def test_a_scan_that_is_rejected_is_recorded_as_such(guarded, tmp_path):
    scan = sitk.ReadImage(str(guarded.studies / f"{guarded.image}.nii.gz"), sitk.sitkFloat32)
    head = sitk.Cast(scan > 0, sitk.sitkFloat32)
    inverted = (float(sitk.GetArrayViewFromImage(scan).max()) * 1.05 - scan) * head
    sitk.WriteImage(inverted, str(tmp_path / "inverted-T1.nii.gz"))
    with (tmp_path / "inverted-T1.nii.gz").open("rb") as file:
        record, answer = recorded(guarded, "POST", "/infer/anomaly?output=json", files={"file": file})
    assert_refused(answer, 422, "cannot be judged")
    assert record["verdict"] == "reject"
