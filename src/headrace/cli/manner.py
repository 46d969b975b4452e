"""What all commands have in common: settings from flags, errors as messages and exit codes, JSON."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from headrace.errors import HeadraceError, JobInvalid

if TYPE_CHECKING:
    from headrace.cli.asking import Ask
    from headrace.settings import Settings

Params = Annotated[list[str] | None, typer.Option("--param", "-p", help="A parameter of the job, NAME=VALUE.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="Any setting, NAME=VALUE; see `headrace settings`.")]
Url = Annotated[str | None, typer.Option(help="The server; HEADRACE_ACCESS_KEY and HEADRACE_ACCESS_SECRET open it.")]
# What the caller wrote is wrong; all else failed.
_CALLERS = ("setting-invalid", "unknown-node-type", "bad-parameter", "job-invalid")


def settings_of(assigned: list[str] | None, **flags: str | None) -> "Settings":
    """The settings in force under these flags."""
    from headrace.settings import current_settings

    given = {name: value for name, value in flags.items() if value is not None}
    return current_settings({**pairs(assigned, "--set"), **given})


def pairs(texts: list[str] | None, flag: str) -> dict[str, str]:
    """What was assigned by a flag that may come many times."""
    found = {}
    for text in texts or ():
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint=flag)
        found[name] = value
    return found


def sent(path: Path, hint: str) -> bytes:
    """What a file holds, or standard input for a dash."""
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}", param_hint=hint) from None


@contextmanager
def told(as_json: bool) -> Iterator[None]:
    """Errors as messages and exit codes: 2 for what the caller wrote wrong, 1 for what failed."""
    try:
        yield
    except JobInvalid as error:
        _tell_problems(error, as_json)
    except HeadraceError as error:
        if as_json:
            failure = {"code": error.code, "message": error.message, "hint": error.hint}
            print_json({"status": "FAILED", "failure": failure})
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(2 if error.code in _CALLERS else 1) from None


@contextmanager
def asked(as_json: bool, assigned: list[str] | None, url: str | None) -> Iterator["Ask"]:
    """Whom to ask: the server that is named, else the database of this machine. Errors are told."""
    from headrace.cli.asking import asking

    with told(as_json), asking(settings_of(assigned, url=url)) as ask:
        yield ask


def print_either(value: Any, text: str, as_json: bool) -> None:
    """A value for programs, or a text for people."""
    if as_json:
        print_json(value)
    elif text:
        print(text)
    sys.stdout.flush()


def print_json(value: object) -> None:
    """A value for programs."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def _tell_problems(error: JobInvalid, as_json: bool) -> NoReturn:
    from headrace.cli import show

    if as_json:
        print_json({"status": "INVALID", "problems": [problem.as_dict() for problem in error.problems]})
    else:
        about = error.problems[0].subject if error.problems else "job"
        print(f"the {about} has {show.counted(len(error.problems), 'problem')}:", file=sys.stderr)
        print(show.problems(error.problems), file=sys.stderr)
    raise typer.Exit(2) from None
