"""The command line: the same functions as everywhere, asked for by words."""

import gc
import os
import sys
from typing import NoReturn

from headrace import __version__

_OBJECTS = 50_000


def main() -> None:
    """Run the command `headrace`."""
    if sys.argv[1:] == ["--version"]:
        # Asked for by scripts, again and again: nothing else is loaded for it.
        print(f"headrace {__version__}")
        return
    # Loading makes many objects and no garbage: to look for some after every 700 of them takes a twentieth of a start.
    gc.set_threshold(_OBJECTS)
    try:
        from headrace.cli.app import app

        app()
    except KeyboardInterrupt:
        _end(130)
    except SystemExit as done:
        if isinstance(done.code, int):
            _end(done.code)
        raise


def _end(code: int) -> NoReturn:
    """End the process at once: everything is written, and to tidy up the interpreter takes as long as a small job."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = code or 1
    os._exit(code)
