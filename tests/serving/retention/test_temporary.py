"""Temporary files of a server that was killed are deleted by the next one, and only those."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

from umaddpm_core.data.replacing import remove_left_behind, replacing
from umaddpm_core.serving.retention.temporary import own_temporary_folder

SERVER = """
import sys, tempfile, time
from umaddpm_core.serving.retention.temporary import own_temporary_folder
with own_temporary_folder() as folder:
    tempfile.NamedTemporaryFile(delete=False).write(b"voxels of a patient")
    print(folder, flush=True)
    time.sleep(600)
"""


def started(folder):
    process = subprocess.Popen([sys.executable, "-c", SERVER], env={**os.environ, "TMPDIR": str(folder)}, stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


def test_a_killed_servers_files_are_deleted_a_running_ones_and_others_stay(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    (tmp_path / "tmpxyz.nii.gz").write_bytes(b"of another program")
    killed, left = started(tmp_path)
    running, used = started(tmp_path)
    try:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert os.listdir(left) and os.path.dirname(left) == str(tmp_path)
        with own_temporary_folder() as ours:
            assert tempfile.gettempdir() == os.environ["TMPDIR"] == str(ours)
            assert not os.path.exists(left) and os.listdir(used)
            assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {ours.name, os.path.basename(used)}
            tempfile.mkdtemp()
        assert not ours.exists() and tempfile.gettempdir() == os.environ["TMPDIR"] == str(tmp_path)
    finally:
        running.kill()
        running.wait()
    with own_temporary_folder():
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["tmpxyz.nii.gz"]


def test_what_a_killed_process_was_about_to_write_is_deleted(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left, others = tmp_path / f".{ended.pid}.mask.nii.gz", tmp_path / ".hidden.nii.gz"
    alive = tmp_path / f".{os.getppid()}.mask.nii.gz"
    for file in (left, others, alive):
        file.write_bytes(b"x")
    remove_left_behind(tmp_path)
    assert not left.exists() and others.exists() and alive.exists()
    remove_left_behind(tmp_path / "nowhere")
    with replacing(tmp_path / "mask.nii.gz") as temporary:
        temporary.write_bytes(b"x")
    assert (tmp_path / "mask.nii.gz").exists()


def test_threads_that_replace_the_same_file_do_not_take_each_others(tmp_path):
    place, meeting = tmp_path / "file", threading.Barrier(4)

    def write(number):
        with replacing(place) as temporary:
            temporary.write_text(str(number))
            meeting.wait(10)
        return number

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(write, range(4))) == [0, 1, 2, 3]
    assert place.read_text() in "0123" and [file.name for file in tmp_path.iterdir()] == ["file"]


def test_what_a_killed_thread_was_about_to_write_is_deleted(tmp_path):
    program = (
        "import os, sys; from pathlib import Path; from umaddpm_core.data.replacing import replacing\n"
        "with replacing(Path(sys.argv[1]) / 'file') as temporary: temporary.touch(); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)])
    assert len(list(tmp_path.iterdir())) == 1
    remove_left_behind(tmp_path)
    assert list(tmp_path.iterdir()) == []
