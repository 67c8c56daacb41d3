"""Keeps the name of a deleted case out of the server's logs."""

from __future__ import annotations

import logging
import mmap
import os
import re
import sys
from pathlib import Path
from urllib.parse import quote

ROUTE = "/anomaly/cases/"


class WithoutCases(logging.Filter):
    """Writes the requests that delete cases without the case, as they are written after it was deleted."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                re.sub(rf"({ROUTE})[^\s?]+", r"\1{case_id}", word) if isinstance(word, str) else word for word in record.args
            )
        return True


def log_files(folder: Path) -> list[Path]:
    """The logs in a folder, and the file that this process writes its output to, where it is one."""
    files = {file.resolve() for file in folder.glob("*.log*") if file.is_file()}
    for stream in (sys.__stdout__, sys.__stderr__):
        try:
            output = Path(f"/proc/self/fd/{stream.fileno()}").resolve()
        except (AttributeError, OSError, ValueError):
            continue
        if output.is_file():
            files.add(output)
    return sorted(files)


def blot_out(files: list[Path], name: str) -> tuple[list[str], list[str]]:
    """Write over a name wherever it stands as a word of its own.

    In place and with as many characters, as the files are being written to.

    Returns:
        Names of the files in which it stood; and of those that cannot be written to, in which it may still stand.
    """
    forms = {form.encode() for form in (name, quote(name), quote(name, safe=""), name.replace(" ", "+"))}
    word = re.compile(rb"(?<![\w-])(?:" + b"|".join(map(re.escape, sorted(forms, key=len, reverse=True))) + rb")(?![\w-])")
    blotted, untouched = [], []
    for file in files:
        try:
            if os.path.getsize(file) and _written_over(file, word):
                blotted.append(file.name)
        except FileNotFoundError:
            continue
        except OSError:
            untouched.append(file.name)
    return blotted, untouched


def _written_over(file: Path, word: re.Pattern[bytes]) -> bool:
    with file.open("r+b") as stream, mmap.mmap(stream.fileno(), 0) as text:
        places = [found.span() for found in word.finditer(text)]
        for begin, end in places:
            text[begin:end] = b"*" * (end - begin)
    return bool(places)
