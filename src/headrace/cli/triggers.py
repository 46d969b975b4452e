"""`headrace triggers`: when workflows start, in a server or in the database of this machine."""

from pathlib import Path
from typing import Annotated, Any

import typer

from headrace.cli.manner import AsJson, Set, Url, asked, print_either, sent

triggers = typer.Typer(
    help="When workflows start: triggers of the server that `url` names, or of the database on this machine.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(metavar="TRIGGER", help="The trigger: its id or its name.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A createTrigger body as JSON; - reads standard input.")]


@triggers.command("list")
def list_triggers(
    name: Annotated[str | None, typer.Option(help="Only triggers whose name contains this.")] = None,
    url: Url = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """List the triggers with their rules in words, the newest first."""
    from headrace.cli import timing

    with asked(as_json, set_, url) as ask:
        found = timing.triggers(ask, name=name)
        print_either(found, timing.shown_triggers(found), as_json)


@triggers.command()
def show(name: Name, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """Show a trigger: its rule in words, and the dates that come next."""
    from headrace.cli import timing

    with asked(as_json, set_, url) as ask:
        found = timing.trigger(ask, name)
        print_either(found, timing.shown_trigger(found), as_json)


@triggers.command()
def create(file: File, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """Make a trigger, and show when it comes next."""
    from headrace.cli import timing

    with asked(as_json, set_, url) as ask:
        made = ask("POST", "/api/v1/triggers", sent(file, "FILE"))
        print_either(made, timing.shown_trigger(made), as_json)


@triggers.command()
def update(name: Name, file: File, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """Replace a trigger by what a file says."""
    from headrace.cli import timing

    with asked(as_json, set_, url) as ask:
        changed = ask("PUT", f"/api/v1/triggers/{timing.id_of(ask, name)}", sent(file, "FILE"))
        print_either(changed, timing.shown_trigger(changed), as_json)


@triggers.command()
def delete(name: Name, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """Delete a trigger that no workflow uses."""
    from headrace.cli import timing

    with asked(as_json, set_, url) as ask:
        trigger_id = timing.id_of(ask, name)
        ask("DELETE", f"/api/v1/triggers/{trigger_id}")
        print_either({"triggerId": trigger_id, "status": "DELETED"}, f"trigger {trigger_id} is deleted", as_json)


@triggers.command()
def pause(name: Name, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """Let a trigger start nothing until it is resumed."""
    _move(name, "pause", url, set_, as_json)


@triggers.command()
def resume(name: Name, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """Let a trigger go on; its misfire policy says what becomes of what it missed."""
    _move(name, "resume", url, set_, as_json)


def _move(name: str, move: str, url: str | None, assigned: list[str] | None, as_json: bool) -> None:
    from headrace.cli import timing

    with asked(as_json, assigned, url) as ask:
        moved: Any = ask("POST", f"/api/v1/triggers/{timing.id_of(ask, name)}/{move}")
        print_either(moved, timing.shown_trigger(moved), as_json)
