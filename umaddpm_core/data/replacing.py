"""Writing a file at once or not at all."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path to write to, which becomes `path` when the block ends well, and else is removed.

    Several may replace the same file at once; it becomes what the last of them wrote.
    """
    temporary = path.with_name(f".{os.getpid()}.{secrets.token_hex(4)}.{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_left_behind(folder: Path) -> None:
    """Delete the temporary files that processes left in a folder when they were killed while they wrote there."""
    for file in folder.glob(".*.*") if folder.is_dir() else ():
        writer = re.match(r"\.(\d+)\.", file.name)
        if writer and file.is_file() and (int(writer[1]) == os.getpid() or not _lives(int(writer[1]))):
            file.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        # It does, and belongs to somebody else.
        return True
    return True
