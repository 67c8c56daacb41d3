"""What is kept here of the series of an archive: labels with their verdicts, and notes, over several that write and crashes."""

import os
import signal
import subprocess
import sys
import time

import orthanc as archives
import pytest
import SimpleITK as sitk
from monailabel.interfaces.exception import LabelNotFoundException

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading import read_scan
from umaddpm_core.serving.dicom.archive import Archive
from umaddpm_core.serving.dicom.datastore import MR, ArchiveDatastore
from umaddpm_core.serving.review.agreement import agreement

REVIEW = {"verdict": "accepted", "reviewer": "Ada"}


def opened(archive, folder):
    """As a server, or a job of one, opens it."""
    return ArchiveDatastore(archive, folder, filters=MR, cache_mb=100, listed=1000, seconds=0)


@pytest.fixture
def nowhere():
    return Archive("http://127.0.0.1:9/dicom-web")


@pytest.fixture
def labelled(orthanc, stored, tmp_path):
    """The datastore of a server, a series, and a mask of it."""
    server = opened(Archive(orthanc.url, (archives.USER, archives.PASSWORD)), tmp_path / "cache")
    mask = tmp_path / "mask.nrrd"
    sitk.WriteImage(sitk.Cast(read_scan(server.get_image_uri(stored["upright"])).image > 100, sitk.sitkUInt8), str(mask))
    return server, stored["upright"], str(mask)


def test_a_job_and_the_server_do_not_undo_each_other(labelled, tmp_path):
    server, uid, mask = labelled
    server.save_label(uid, mask, "original", {})
    job = opened(server.archive, tmp_path / "cache")
    server.save_label(uid, mask, "mine", {})
    server.update_image_info("1.2.3", {"cohort": "healthy"})
    job.update_label_info(uid, "original", {"dice": 1.0})
    job.update_image_info("1.2.4", {"seen": True})
    again = opened(server.archive, tmp_path / "cache")
    assert again.get_labels_by_image_id(uid).keys() == {"original", "mine"} and again.get_label_info(uid, "original")["dice"] == 1
    assert again.get_image_info("1.2.3")["cohort"] == "healthy" and again.get_image_info("1.2.4")["seen"]


@pytest.mark.parametrize("review", ["x", {"verdict": "maybe", "reviewer": "Ada"}, {"verdict": "accepted"}])
def test_a_wrong_verdict_is_one_sentence_and_nothing_is_stored(labelled, orthanc, review):
    server, uid, mask = labelled
    before = orthanc.search(Modality="SEG")
    with pytest.raises(InputError, match="`review"):
        server.save_label(uid, mask, "final", {"review": review})
    assert orthanc.search(Modality="SEG") == before and server.get_labels_by_image_id(uid) == {}
    server.save_label(uid, mask, "original", {})
    with pytest.raises(InputError, match="`review"):
        server.update_label_info(uid, "original", {"review": review})


def test_a_verdict_has_its_time_and_agreement_can_be_told(labelled):
    server, uid, mask = labelled
    for tag in ("original", "mine"):
        server.save_label(uid, mask, tag, {"review": REVIEW})
    assert server.get_label_info(uid, "mine")["review"]["time"].endswith("+00:00")
    case = agreement(server, accepted="mine")["cases"][uid]
    assert case["dice"] == 1 and case["verdict"] == "accepted" and server.get_label_info(uid, "mine")["dice"] == 1


def test_a_label_is_deleted_with_its_entry(labelled, tmp_path):
    server, uid, mask = labelled
    server.save_label(uid, mask, "mine", {})
    file = server.get_label_uri(uid, "mine")
    server.remove_label(uid, "mine")
    assert not os.path.exists(file) and opened(server.archive, tmp_path / "cache").get_labels_by_image_id(uid) == {}
    with pytest.raises(LabelNotFoundException, match="no label"):
        server.remove_label(uid, "mine")


def test_a_path_and_figures_that_are_none_are_refused(nowhere, tmp_path):
    server = opened(nowhere, tmp_path / "cache")
    for info, words in (({"path": 5}, "path"), ({"anomaly": {"score": "x", "doubt": 1}}, "score")):
        with pytest.raises(InputError, match=words):
            server.update_image_info("1.2", info)
    assert server.known_cases() == []


WRITER = """
import sys
from pathlib import Path
from umaddpm_core.serving.dicom.archive import Archive
from umaddpm_core.serving.dicom.datastore import MR, ArchiveDatastore
archive = Archive("http://127.0.0.1:9/dicom-web")
datastore = ArchiveDatastore(archive, Path(sys.argv[1]), filters=MR, cache_mb=1, listed=10, seconds=0)
print("ready", flush=True)
for number in range(10_000):
    datastore.update_image_info(f"1.{number}", {"notes": "x" * 20_000})
    print(number, flush=True)
"""


@pytest.mark.parametrize("seconds", [0.2, 0.45])
def test_killed_at_any_moment_every_note_that_was_confirmed_is_there(nowhere, tmp_path, seconds):
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "cache")], stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout.readline() == "ready\n"
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    confirmed = process.communicate()[0].split()
    assert confirmed
    assert {f"1.{number}" for number in confirmed} <= set(opened(nowhere, tmp_path / "cache").known_cases())
    assert not [file for file in (tmp_path / "cache").iterdir() if file.name.endswith("datastore_v2.json") and file.name.startswith(".")]
