"""The folder of scans and labels: verdicts, crashes, and several that write."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from monailabel.datastore.local import LocalDatastore
from monailabel.interfaces.exception import ImageNotFoundException, LabelNotFoundException

from umaddpm_core.errors import InputError
from umaddpm_core.serving.review.agreement import agreement
from umaddpm_core.serving.durable_datastore import DurableDatastore
from umaddpm_core.serving.review.scores import KEY, next_for_review, remember

REVIEW = {"verdict": "corrected", "reviewer": "Ada", "comment": "smaller than proposed"}


def mask(path: Path, first: int) -> Path:
    """Eight slices, of which those from `first` are marked."""
    voxels = np.zeros((8, 24, 24), np.uint8)
    voxels[first:] = 1
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((6.0, 6.0, 18.0))
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "studies"
    folder.mkdir()
    for name in ("a", "b", "c"):
        mask(folder / f"{name}.nii.gz", 0)
    return folder


@pytest.fixture
def label(tmp_path):
    return mask(tmp_path / "label.nii.gz", 4)


def index(folder):
    return json.loads((folder / "datastore_v2.json").read_text())["objects"]


def test_a_verdict_stays_with_its_label_over_a_restart(folder, label):
    DurableDatastore(str(folder)).save_label("a", str(label), "final", {"review": REVIEW, "label_info": []})
    kept = DurableDatastore(str(folder)).get_label_info("a", "final")
    assert {**REVIEW, "time": kept["review"]["time"]} == {key: kept["review"][key] for key in (*REVIEW, "time")}
    assert kept["review"]["time"].endswith("+00:00") and kept["label_info"] == []


@pytest.mark.parametrize(
    ("change", "words"),
    [({"verdict": "maybe"}, "review.verdict"), ({"reviewer": ""}, "review.reviewer"), ({"grade": 1}, "review.grade"), ({"comment": "x" * 6000}, "review.comment")],
)
def test_a_wrong_verdict_is_one_sentence_and_nothing_is_saved(folder, label, change, words):
    datastore = DurableDatastore(str(folder))
    with pytest.raises(InputError, match=words):
        datastore.save_label("a", str(label), "final", {"review": {**REVIEW, **change}})
    assert not list((folder / "labels" / "final").iterdir()) and not index(folder)["a"]["labels"]
    with pytest.raises(ImageNotFoundException, match="no image 'z'"):
        datastore.save_label("z", str(label), "final", {})


def test_a_label_of_another_format_replaces_the_earlier_one(folder, label, tmp_path):
    datastore = DurableDatastore(str(folder), extensions=["*.nii.gz", "*.nrrd"])
    datastore.save_label("a", str(label), "final", {})
    datastore.save_label("a", str(mask(tmp_path / "label.nrrd", 2)), "final", {})
    assert [path.name for path in (folder / "labels" / "final").iterdir()] == ["a.nrrd"]


def test_two_that_write_do_not_undo_each_other(folder, label):
    server, job = DurableDatastore(str(folder)), DurableDatastore(str(folder))
    server.save_label("a", str(label), "final", {})
    job.update_image_info("b", {"from": "job"})
    server.update_image_info("c", {"from": "server"})
    stored = index(folder)
    assert "final" in stored["a"]["labels"] and stored["b"]["image"]["info"]["from"] == "job" and stored["c"]["image"]["info"]["from"] == "server"
    stock, other = LocalDatastore(str(folder)), LocalDatastore(str(folder))
    stock.update_image_info("b", {"stock": 1})
    other.update_image_info("c", {"stock": 1})
    assert "stock" not in index(folder)["b"]["image"]["info"], "the stock folder loses the first of two changes"


def test_an_added_scan_undoes_no_change_and_is_there_at_once_or_not_at_all(folder, label, tmp_path):
    server, job = DurableDatastore(str(folder)), DurableDatastore(str(folder))
    job.update_image_info("b", {"from": "job"})
    server.add_image("new", str(label), {"cohort": "healthy"})
    stored = index(folder)
    assert stored["b"]["image"]["info"]["from"] == "job" and stored["new"]["image"]["info"]["cohort"] == "healthy"
    assert (folder / "new.nii.gz").read_bytes() == label.read_bytes()
    with pytest.raises(IsADirectoryError):
        (tmp_path / "folder.nii.gz").mkdir()
        server.add_image("other", str(tmp_path / "folder.nii.gz"), {})
    assert "other" not in index(folder) and not [file for file in folder.iterdir() if "other" in file.name]


def test_a_label_is_deleted_with_its_entry(folder, label):
    datastore = DurableDatastore(str(folder))
    datastore.save_label("a", str(label), "final", {})
    datastore.remove_label("a", "final")
    assert not index(folder)["a"]["labels"] and not list((folder / "labels" / "final").iterdir())
    with pytest.raises(LabelNotFoundException, match="no label"):
        datastore.remove_label("a", "final")


def test_threads_lose_nothing(folder, label):
    datastore = DurableDatastore(str(folder), auto_reload=True)
    for i in range(12):
        shutil.copy(folder / "a.nii.gz", folder / f"t{i}.nii.gz")
    datastore.refresh()
    threads = [threading.Thread(target=datastore.save_label, args=(f"t{i}", str(label), "final", {"review": REVIEW})) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = index(folder)
    assert all(stored[f"t{i}"]["labels"]["final"]["info"]["review"]["reviewer"] == "Ada" for i in range(12))


def test_an_index_that_cannot_be_read_is_put_aside(folder, label):
    DurableDatastore(str(folder)).save_label("a", str(label), "final", {})
    (folder / "datastore_v2.json").write_text('{"objects": {"a"')
    with pytest.raises(ValueError):
        LocalDatastore(str(folder))
    datastore = DurableDatastore(str(folder))
    assert sorted(datastore.list_images()) == ["a", "b", "c"] and datastore.get_label_by_image_id("a", "final") == "a"
    assert (folder / "datastore_v2.unreadable.json").exists()


WRITER = """
import sys
from umaddpm_core.serving.durable_datastore import DurableDatastore
datastore = DurableDatastore(sys.argv[1])
print("ready", flush=True)
for number in range(10_000):
    image = "abc"[number % 3]
    datastore.save_label(image, sys.argv[2], "final", {"review": {"verdict": "accepted", "reviewer": str(number)}})
    print(image, number, flush=True)
"""


@pytest.mark.parametrize("seconds", [0.05, 0.21, 0.47])
def test_killed_at_any_moment_every_label_that_was_confirmed_is_there(folder, label, seconds):
    command = [sys.executable, "-c", WRITER, str(folder), str(label)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout.readline() == "ready\n"
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    confirmed = dict(line.split() for line in process.communicate()[0].splitlines())
    assert confirmed
    datastore = DurableDatastore(str(folder))
    for image, number in confirmed.items():
        kept = int(datastore.get_label_info(image, "final")["review"]["reviewer"])
        assert kept in (int(number), int(number) + 3), "the confirmed one, or the next, which was written and not yet told"
        assert sitk.ReadImage(datastore.get_label_uri(image, "final")).GetSize() == (24, 24, 8)


def report(peak, near):
    return {
        "threshold": {"value": 0.1}, "peak": peak, "near_threshold_ml": near, "marked_ml": 3.0, "model": "m", "quality": {"verdict": "ok"}
    }  # fmt: skip


def test_the_next_case_is_the_most_abnormal_or_the_most_doubtful(folder, label):
    datastore = DurableDatastore(str(folder))
    remember(datastore, "a", report(0.2, 9.0))
    remember(datastore, "b", report(0.5, 1.0))
    assert datastore.get_image_info("b")[KEY]["score"] == 5
    assert next_for_review(datastore, "score") == {"id": "b", "score": 5.0}
    assert next_for_review(datastore, "doubt") == {"id": "a", "doubt": 9.0}
    for image in "ba":
        datastore.save_label(image, str(label), "final", {})
    assert next_for_review(datastore, "score") == {"id": "c", "score": None}, "never examined, so last"
    datastore.save_label("c", str(label), "final", {})
    assert next_for_review(datastore, "score") is None


@pytest.mark.parametrize("figures", ["x", {}, {"score": "x", "doubt": 1}, {"score": 1}, {"score": float("inf"), "doubt": 1}, {"score": True, "doubt": 1}])
def test_figures_that_are_none_are_refused_and_old_ones_stop_nothing(folder, label, figures):
    datastore = DurableDatastore(str(folder))
    for change in (datastore.update_image_info, lambda image, info: datastore.add_image("new", str(label), info)):
        with pytest.raises(InputError, match="`anomaly`.*`score`"):
            change("a", {KEY: figures})
    assert KEY not in datastore.get_image_info("a") and "new" not in datastore.list_images() and not (folder / "new.nii.gz").exists()
    datastore._datastore.objects["a"].image.info.update({KEY: figures, "ts": "yesterday"})
    remember(datastore, "b", report(0.2, 9.0))
    assert next_for_review(datastore, "score") == {"id": "b", "score": 2.0}


def test_agreement_by_case_verdict_and_time(folder, label, tmp_path):
    datastore = DurableDatastore(str(folder))
    proposed = mask(tmp_path / "proposed.nii.gz", 2)
    for image, accepted, verdict in (("a", proposed, "accepted"), ("b", label, "corrected")):
        datastore.save_label(image, str(proposed), "original", {})
        datastore.save_label(image, str(accepted), "final", {"review": {**REVIEW, "verdict": verdict}})
    datastore.save_label("c", str(label), "final", {})
    found = agreement(datastore)
    assert found["cases"]["a"]["dice"] == 1 and found["cases"]["b"]["dice"] == pytest.approx(2 * 4 / (6 + 4), abs=1e-4)
    assert found["by_verdict"] == {"accepted": {"cases": 1, "mean_dice": 1.0}, "corrected": {"cases": 1, "mean_dice": 0.8}}
    assert [entry["mean_so_far"] for entry in found["over_time"]] == [1.0, 0.9]
    assert found["left_out"] == {"c": "It has no label under the tag 'original'."}
    assert datastore.get_label_info("b", "final")["dice"] == 0.8
