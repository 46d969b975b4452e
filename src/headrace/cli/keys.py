"""`headrace keys`: make, look at and revoke access keys."""

from typing import Annotated, Any

import typer

from headrace.cli.manner import AsJson, Set, print_json, settings_of, told

keys = typer.Typer(help="Make, list and revoke access keys.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(metavar="KEY", help="The access key.")]
_HEADERS = ("accessKey", "name", "role", "state", "created")


@keys.command("create")
def create(
    name: Annotated[str, typer.Option(help="Whom or what the key is for.")],
    role: Annotated[str, typer.Option(help="manager or viewer.")] = "manager",
    allow: Annotated[
        list[str] | None, typer.Option(help="ACTION or ACTION@JOB that is allowed, in place of what the role allows.")
    ] = None,
    deny: Annotated[list[str] | None, typer.Option(help="ACTION or ACTION@JOB that is not allowed.")] = None,
    read: Annotated[list[str] | None, typer.Option(help="BUCKET or BUCKET/PREFIX that its jobs may read.")] = None,
    write: Annotated[list[str] | None, typer.Option(help="BUCKET or BUCKET/PREFIX that its jobs may write.")] = None,
    nrn: Annotated[list[str] | None, typer.Option(help="Pattern of each nrn that its jobs may use.")] = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Make an access key, and print it with its secret, which is shown only now.

    Without --allow and --deny it may do what its role may. Without --read, --write and --nrn a manager's jobs may touch
    all data, a viewer's none. Patterns: Change/*, Change/executeJob@nightly-*, team-*/raw; see the page on rights.
    """
    from headrace.cli import holding

    with told(as_json):
        known = next((each for each in holding.ROLES if each == role), None)
        if known is None:
            raise typer.BadParameter("manager or viewer", param_hint="--role")
        policy = holding.rules(allow or (), deny or ())
        grants = holding.data(read or (), write or (), nrn or ())
        issued = holding.create(settings_of(set_), name, known, policy=policy, grants=grants)
    if as_json:
        print_json({"accessKey": issued.access_key, "secretKey": issued.secret})
    else:
        print(f"access key: {issued.access_key}\nsecret key: {issued.secret}")


@keys.command("list")
def list_(set_: Set = None, as_json: AsJson = False) -> None:
    """List the access keys, without their secrets."""
    from headrace.cli import holding, show

    with told(as_json):
        found = holding.list_all(settings_of(set_))
    rows = [(k.access_key, k.name, k.role, holding.state(k), f"{k.created_at:%Y-%m-%d}") for k in found]
    if as_json:
        print_json([dict(zip(_HEADERS, row, strict=True)) for row in rows])
    else:
        print(show.table(_HEADERS, rows))


@keys.command("show")
def show_(access_key: Key, set_: Set = None, as_json: AsJson = False) -> None:
    """Show what an access key may do, and which data its jobs may touch."""
    from headrace.auth.policy import in_force
    from headrace.cli import holding

    with told(as_json):
        key = holding.show(settings_of(set_), access_key)
    rules, data = in_force(key.role, key.policy).as_json(), key.principal.data.as_json()
    head = (key.access_key, key.name, key.role, holding.state(key), f"{key.created_at:%Y-%m-%d}")
    shown: dict[str, Any] = dict(zip(_HEADERS, head, strict=True)) | rules | data
    if as_json:
        print_json(shown)
        return
    lines = {name: ", ".join(value) if isinstance(value, list) else value for name, value in shown.items()}
    print("\n".join(f"{name:<10} {value or '-'}" for name, value in lines.items()))


@keys.command("revoke")
def revoke(
    access_key: Key,
    cancel_runs: Annotated[
        bool, typer.Option("--cancel-runs", help="Cancel what it asked for that waits or runs.")
    ] = False,
    set_: Set = None,
) -> None:
    """Let an access key open nothing from now on. Runs that it asked for go on, unless --cancel-runs is given."""
    from headrace.cli import holding, show

    with told(as_json=False):
        active, stopped = holding.revoke(settings_of(set_), access_key, cancel=cancel_runs)
    if stopped:
        print(f"{show.counted(stopped, 'run')} cancelled")
    elif active:
        print(f"{show.counted(active, 'run')} of this key still to end; --cancel-runs cancels what waits or runs")


@keys.command("rotate")
def rotate(set_: Set = None) -> None:
    """Encrypt every secret again under the newest secret key: the first one in secret.key, or in secret_key."""
    from headrace.cli import holding, show

    with told(as_json=False):
        count = holding.rotate(settings_of(set_))
    print(f"{show.counted(count, 'secret')} encrypted again; older secret keys may be removed")
