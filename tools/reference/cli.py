"""The page of commands: the help of each, always at one width."""

from typing import Any

import typer
import typer.main

from headrace.cli.app import app
from tools.reference.markdown import code, generated, table

_WIDTH = 96
_CODES = (
    ("0", "done"),
    ("1", "the run failed, and the old data stands; or another command could not do what it was asked"),
    ("2", "the job, a setting or the command line is wrong; nothing was run"),
    ("130", "interrupted by Ctrl-C"),
    ("143", "ended by SIGTERM"),
)


def page() -> str:
    """Every command with its help."""
    group: Any = typer.main.get_command(app)
    root = _context(group, "headrace", None)
    parts = [code(group.get_help(root))]
    for name, command in group.commands.items():
        parts += _section(command, name, root)
    return generated(
        "The command line",
        *parts,
        "## Exit codes",
        table(("code", "meaning"), _CODES),
        source="headrace.cli.app",
    )


def _section(command: Any, name: str, parent: typer.Context) -> list[str]:
    """A command, and those that it consists of."""
    context = _context(command, name, parent)
    parts = [f"## {context.command_path}", code(command.get_help(context))]
    for each, inner in getattr(command, "commands", {}).items():
        parts += _section(inner, each, context)
    return parts


def _context(command: Any, name: str, parent: typer.Context | None) -> typer.Context:
    return typer.Context(command, info_name=name, parent=parent, terminal_width=_WIDTH, max_content_width=_WIDTH)
