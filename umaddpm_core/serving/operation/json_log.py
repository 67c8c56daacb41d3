"""The server's log as JSON, one object a line, for programs that collect logs."""

from __future__ import annotations

import datetime
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from umaddpm_core.errors import InputError
from umaddpm_core.serving.operation.without_names import without_names
from umaddpm_core.serving.request_facts import present

LOGS_VARIABLE = "UMADDPM_LOGS"
"""Environment variable with the form of the server's log: `text` (default) or `json`."""
ACCESS = ("method", "route", "status", "milliseconds")
"""What a record of an answered request tells beside its message."""


class JsonLines(logging.Formatter):
    """`time`, `level`, `logger`, `message`; `request` and `job` where there is one; `exception` with the stack trace."""

    def format(self, record: logging.LogRecord) -> str:
        facts = present()
        entry = {
            "time": datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_names(record.getMessage()),
            **{name: facts[name] for name in ("request", "job") if name in facts},
            **{name: getattr(record, name) for name in ACCESS if hasattr(record, name)},
        }
        if record.exc_info:
            entry["exception"] = without_names(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


def asks_for_json(environment: Mapping[str, str]) -> bool:
    """Whether the log is to be JSON.

    Raises:
        InputError: the variable names no form of a log.
    """
    form = environment.get(LOGS_VARIABLE, "").strip().lower()
    if form not in ("", "text", "json"):
        raise InputError(f"{LOGS_VARIABLE} is {form!r}; it has to be text or json.")
    return form == "json"


def configuration(file: Path) -> dict[str, Any]:
    """For `logging.config.dictConfig`: to standard output, and to a file that is begun anew at 10 MB, of which ten are kept.

    Args:
        file: which MONAI Label's route `/logs/` shows.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": f"{__name__}.{JsonLines.__name__}"}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "stream": "ext://sys.__stdout__", "formatter": "json"},
            "file": {
                "class": "logging.handlers.RotatingFileHandler",
                "filename": str(file),
                "maxBytes": 10 << 20,
                "backupCount": 10,
                "encoding": "utf-8",
                "formatter": "json",
            },
        },
        "root": {"level": "INFO", "handlers": ["console", "file"]},
        "loggers": {
            # These write down requests, and lines of their child processes, in which scans are named.
            "monailabel": {"level": "WARNING"},
            "task_batch_infer": {"level": "CRITICAL"},
            "task_scoring": {"level": "CRITICAL"},
            "urllib3.connectionpool": {"level": "ERROR"},
        },
    }


def as_text(log: str) -> str:
    """A log of either form as a person reads it, stack traces on lines of their own."""
    return "\n".join(_line_as_text(line) for line in log.splitlines())


def _line_as_text(line: str) -> str:
    try:
        entry = json.loads(line)
        return "\n".join(filter(None, (entry["message"], entry.get("exception"))))
    except (ValueError, TypeError, KeyError):
        return line
