"""The log of a server on its standard error: one line an event, for people or as a JSON object.

An event is a few words that never change, and fields. Nothing that a caller sends stands in a line unquoted.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime

from headrace.settings import Settings

# What every record has; all else in it are fields of the event.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}
_PLAIN = re.compile(r"[\w.:/@%+,*?&=~-]+", re.ASCII)


class Text(logging.Formatter):
    """The moment, the level, the event, then its fields as name=value."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the trace of an error in lines below it."""
        fields = "".join(f" {name}={_shown(value)}" for name, value in _fields(record).items())
        line = f"{_moment(record)} {record.levelname.lower():7} {_one_line(record.getMessage())}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class Json(logging.Formatter):
    """An object with `at`, `level`, `event` and the fields; the trace of an error is `error`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        told = {"at": _moment(record), "level": record.levelname.lower(), "event": record.getMessage()}
        error = {"error": self.formatException(record.exc_info)} if record.exc_info else {}
        return json.dumps({**told, **_fields(record), **error}, ensure_ascii=False, default=str)


def begin(settings: Settings, *, least: str = "") -> None:
    """Log as the settings say, or at `least` so, from now on. Libraries are heard when they warn."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if settings["log_format"] == "json" else Text())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("headrace").setLevel((least or str(settings["log_level"])).upper())
    logging.raiseExceptions = False  # nobody reads what we say: that must not end what we do


def _moment(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _OWN}


def _shown(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _one_line(text: str) -> str:
    return text if text.isprintable() else json.dumps(text, ensure_ascii=False)
