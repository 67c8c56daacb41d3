"""What a method is said to cost."""

import os
import subprocess
import sys

from umaddpm_core.evaluation.comparison.cost import peak_bytes


def test_the_memory_of_a_process_is_its_own_and_not_its_parents():
    ballast = bytearray(os.urandom(1)) * 600_000_000
    told = subprocess.check_output(
        [sys.executable, "-c", "from umaddpm_core.evaluation.comparison.cost import peak_bytes; print(peak_bytes())"]
    )
    assert int(told) < len(ballast) < peak_bytes()
