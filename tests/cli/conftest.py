"""Running the program in the test's own process, where starting one would only cost time."""

import sys
from typing import NamedTuple

import pytest

from umaddpm_core.cli.main import main


class Ended(NamedTuple):
    """How a run ended: exit status, standard output, standard error."""

    status: int
    out: str
    err: str


@pytest.fixture
def here(monkeypatch, capsys):
    """Runs `umaddpm` with these arguments."""

    def run(*arguments) -> Ended:
        monkeypatch.setattr(sys, "argv", ["umaddpm", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
            sys.exit(0)
        told = capsys.readouterr()
        return Ended(end.value.code or 0, told.out, told.err)

    return run
