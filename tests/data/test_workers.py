"""Processes that work through a list."""

import subprocess
import sys
import textwrap

PROGRAM = textwrap.dedent(
    """
    import re
    from pathlib import Path
    from umaddpm_core.data.workers import _start

    for _ in range(2):
        connection, process = _start(str)
        blocked = int(re.search(r"SigBlk:\\s*([0-9a-f]+)", Path(f"/proc/{process.pid}/status").read_text())[1], 16)
        print(bool(blocked >> 1 & 1))
        process.kill()
    """
)


def test_ctrl_c_reaches_no_worker_from_its_first_moment():
    """The first one of a program included, before which multiprocessing starts a process of its own."""
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120)
    assert told.stdout.split() == ["True", "True"], told.stderr
