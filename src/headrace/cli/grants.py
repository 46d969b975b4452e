"""`headrace grants`: who may read and write which data by jobs of NexusOne's dialect."""

from typing import Annotated

import typer

from headrace.cli.manner import AsJson, Set, print_json, settings_of, told

grants = typer.Typer(
    help="Say which data the jobs of NexusOne's dialect may read and write, by their owners.", no_args_is_help=True
)

_HEADERS = ("grant", "who", "use", "what", "given")


@grants.command("give")
def give(
    who: Annotated[str, typer.Argument(metavar="WHO", help="An owner of jobs, or a pattern like *@example.org.")],
    read: Annotated[
        list[str] | None, typer.Option(help="SCHEMA.TABLE, SCHEMA.* or BUCKET/PREFIX of files; may come many times.")
    ] = None,
    write: Annotated[list[str] | None, typer.Option(help="SCHEMA.TABLE or SCHEMA.*; may come many times.")] = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Let the jobs of some owners read and write data.

    A new database has two grants, which let everybody read and write everything: take them back to close it.
    """
    from headrace.cli import holding

    with told(as_json):
        made = holding.give(settings_of(set_), who, read=read or (), write=write or ())
    if as_json:
        print_json([{"grant": each.grant_id, "use": each.use, "what": each.what} for each in made])
    else:
        for each in made:
            print(f"{each.grant_id}: {each.who} may {each.use} {each.what}")


@grants.command("list")
def list_(set_: Set = None, as_json: AsJson = False) -> None:
    """List who may read and write what."""
    from headrace.cli import holding, show

    with told(as_json):
        found = holding.list_grants(settings_of(set_))
    rows = [(g.grant_id, g.who, g.use, g.what, f"{g.created_at:%Y-%m-%d}") for g in found]
    if as_json:
        print_json([dict(zip(_HEADERS, row, strict=True)) for row in rows])
    else:
        print(show.table(_HEADERS, rows))


@grants.command("take")
def take(
    grant: Annotated[str, typer.Argument(metavar="GRANT", help="The grant's id, as the list has it.")], set_: Set = None
) -> None:
    """Take a grant back. It counts for every run that begins from now on."""
    from headrace.cli import holding

    with told(as_json=False):
        holding.take(settings_of(set_), grant)
