"""`headrace clients`: make, look at and revoke clients of the built-in issuer of tokens."""

from typing import Annotated

import typer

from headrace.cli.manner import AsJson, Set, print_json, settings_of, told

clients = typer.Typer(help="Make, list and revoke clients that get tokens from Headrace itself.", no_args_is_help=True)

_HEADERS = ("clientId", "name", "roles", "state", "created")


@clients.command("create")
def create(
    name: Annotated[str, typer.Option(help="Whom the client acts for: the owner of its jobs, like an e-mail address.")],
    role: Annotated[list[str] | None, typer.Option(help="A role, like nx1_ingest; may come many times.")] = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Make a client, and print its secret, which is shown only now.

    It is for POST /oauth/token of NexusOne's dialect, on a server without an identity provider (oidc_issuer).
    """
    from headrace.cli import holding

    with told(as_json):
        made, secret = holding.create_client(settings_of(set_), name, role or ())
    if as_json:
        print_json({"clientId": made.client_id, "clientSecret": secret})
    else:
        print(f"client id:     {made.client_id}\nclient secret: {secret}")


@clients.command("list")
def list_(set_: Set = None, as_json: AsJson = False) -> None:
    """List the clients, without their secrets."""
    from headrace.cli import holding, show

    with told(as_json):
        found = holding.list_clients(settings_of(set_))
    rows = [(c.client_id, c.name, [*c.roles], holding.state(c), f"{c.created_at:%Y-%m-%d}") for c in found]
    if as_json:
        print_json([dict(zip(_HEADERS, row, strict=True)) for row in rows])
    else:
        print(show.table(_HEADERS, [(row[0], row[1], ", ".join(row[2]), *row[3:]) for row in rows]))


@clients.command("revoke")
def revoke(
    client_id: Annotated[str, typer.Argument(metavar="CLIENT", help="The client's id.")], set_: Set = None
) -> None:
    """Give a client no more tokens, and end the keys it has made. Tokens that it has expire within ten minutes."""
    from headrace.cli import holding

    with told(as_json=False):
        holding.revoke_client(settings_of(set_), client_id)
