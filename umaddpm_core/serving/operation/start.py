"""MONAI Label's own launcher with the log of its whole process as JSON lines, from the first to the last.

    python -m umaddpm_core.serving.operation.start start_server --log_config FILE …
"""

from __future__ import annotations

import io
import json
import logging
import logging.config
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import TracebackType


class Printed(io.TextIOBase):
    """Turns what is printed into log lines."""

    def __init__(self) -> None:
        self._logger, self._line = logging.getLogger("printed"), ""

    def write(self, text: str) -> int:
        *lines, self._line = (self._line + text).split("\n")
        for line in filter(str.strip, lines):
            self._logger.info("%s", line)
        return len(text)


def main() -> None:
    """Set up the log that the command line names, then go on as `monailabel.main`."""
    log = Path(sys.argv[sys.argv.index("--log_config") + 1])
    logging.config.dictConfig(json.loads(log.read_text()))
    logging.captureWarnings(True)
    sys.excepthook = _log_the_end
    with redirect_stdout(Printed()):
        from monailabel.main import Main

        Main().run()


def _log_the_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger(__name__).critical("The server ends.", exc_info=(kind, error, trace))


if __name__ == "__main__":
    main()
