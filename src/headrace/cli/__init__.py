"""The command line: the same functions as everywhere, asked for by words."""

import sys

from headrace import __version__


def main() -> None:
    """Run the command `headrace`."""
    if sys.argv[1:] == ["--version"]:
        # Asked for by scripts, again and again: nothing else is loaded for it.
        print(f"headrace {__version__}")
        return
    try:
        from headrace.cli.app import app

        app()
    except KeyboardInterrupt:
        sys.exit(130)
