"""Many scans, against the real server."""

import csv
import shutil

from AnomalyDetectionLib.batch import Item, scans_in


def rows(folder):
    return {row["scan"]: row for row in csv.DictReader((folder / "results.csv").open(encoding="utf-8-sig"))}


def ended(shown):
    shown.until(lambda: shown.ui.batchButton.text() == "Start batch" and shown.says)


def test_folder_is_worked_off_and_a_scan_that_fails_stops_nothing(connected, unseen_scan, tmp_path):
    scans, out, ui = tmp_path / "scans", tmp_path / "out", connected.ui
    scans.mkdir()
    shutil.copy(unseen_scan(), scans / "b-T1.nii.gz")
    (scans / "a-T1.nii.gz").write_bytes(b"no scan")
    (scans / "readme.txt").write_text("no scan either")
    ui.batchSourceBox.setCurrentIndex(1)
    ui.batchFolderEdit.setCurrentPath(str(scans))
    ui.batchOutputEdit.setCurrentPath(str(out))
    ui.batchButton.click()
    assert ui.batchButton.text() == "Stop batch" and ui.batchTable.rowCount() == 2
    ended(connected)
    found = rows(out)
    assert found["a-T1"]["state"] == "failed" and found["a-T1"]["message"]
    assert found["b-T1"]["state"] == "done" and found["b-T1"]["findings"].isdigit() and "Research use only" in found["b-T1"]["notice"]
    assert (out / "b-T1" / "mask.nii.gz").is_file() and not (out / "a-T1" / "mask.nii.gz").exists()
    # Gone on with: what is there is not made again.
    ui.batchButton.click()
    ended(connected)
    assert rows(out)["b-T1"]["state"] == "skipped"


def test_worklist_is_worked_off_without_sending_and_can_be_stopped(connected, server, tmp_path):
    ui = connected.ui
    ui.batchOutputEdit.setCurrentPath(str(tmp_path / "out"))
    ui.batchButton.click()
    connected.until(lambda: ui.batchTable.rowCount() > 0)
    ui.batchButton.click()
    ended(connected)
    found = rows(tmp_path / "out")
    states = [row["state"] for row in found.values()]
    assert server.image in found and states[0] in ("cancelled", "done") and set(states[1:]) <= {"waiting"}
    assert connected.desktop.questions == []


def test_what_is_missing_is_told(connected, tmp_path):
    connected.ui.batchButton.click()
    assert "folder for the results" in connected.says
    connected.ui.batchOutputEdit.setCurrentPath(str(tmp_path / "out"))
    connected.ui.batchSourceBox.setCurrentIndex(1)
    connected.ui.batchButton.click()
    assert "folder with the scans" in connected.says


def test_scans_of_a_folder_have_folders_of_their_own(tmp_path):
    for name in ("a.nii.gz", "a.nrrd", "b c.mha", "notes.txt"):
        (tmp_path / name).write_text("")
    found = scans_in(tmp_path)
    assert [item.name for item in found] == ["a.nii.gz", "a.nrrd", "b c"]
    assert Item("../../etc", tmp_path).folder_name == ".._.._etc" and found[2].folder_name == "b_c"
