"""`headrace audit`: who changed what, on the server's own machine."""

from typing import Annotated

import typer

from headrace.cli.manner import AsJson, Set, print_json, settings_of, told

audit = typer.Typer(help="Who changed what, and who was not allowed to.", no_args_is_help=True)


@audit.command("list")
def list_(
    who: Annotated[str, typer.Option(help="The name of a key or a user, or an access key.")] = "",
    action: Annotated[str, typer.Option(help="Like Change/updateJob.")] = "",
    resource: Annotated[str, typer.Option(help="Like jobs/ID; with all that belongs to it.")] = "",
    result: Annotated[str, typer.Option(help="done or denied.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many of the newest.")] = 50,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """List changes, and changes that were not allowed, the newest first."""
    from headrace.api.naver.answers import of_entry
    from headrace.cli import holding, show
    from headrace.core.audit import AuditFilter

    with told(as_json):
        wanted = AuditFilter(who=who, action=action, resource=resource, result=result)
        rows, count = holding.entries(settings_of(set_), wanted, limit)
    if as_json:
        print_json([of_entry(row) for row in rows])
        return
    told_rows = [(f"{e.at:%Y-%m-%d %H:%M:%S}", e.principal, e.action, e.resource, e.result, e.source) for e in rows]
    print(show.table(("UTC", "who", "action", "resource", "result", "from"), told_rows))
    if count > len(rows):
        print(f"and {count - len(rows)} older ones")
