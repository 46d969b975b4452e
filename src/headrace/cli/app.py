"""The commands, their flags and their help."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from headrace import __version__
from headrace.cli.audit import audit
from headrace.cli.clients import clients
from headrace.cli.grants import grants
from headrace.cli.jobs import jobs
from headrace.cli.keys import keys
from headrace.cli.manner import AsJson, Params, Set, sent
from headrace.cli.manner import pairs as _pairs
from headrace.cli.manner import print_json as _print_json
from headrace.cli.manner import settings_of as _settings
from headrace.cli.manner import told as _told
from headrace.cli.stats import stats
from headrace.cli.triggers import triggers
from headrace.cli.workflows import workflows
from headrace.errors import JobInvalid

app = typer.Typer(
    name="headrace",
    help="Run data flow jobs: graphs of sources, transforms and targets.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

database = typer.Typer(help="The server's own database.", no_args_is_help=True)
app.add_typer(jobs, name="jobs")
app.add_typer(workflows, name="workflows")
app.add_typer(triggers, name="triggers")
app.add_typer(stats, name="stats")
app.add_typer(audit, name="audit")
app.add_typer(clients, name="clients")
app.add_typer(grants, name="grants")
app.add_typer(keys, name="keys")
app.add_typer(database, name="db")

Job = Annotated[
    Path, typer.Argument(metavar="JOB", help="The job: a createJob body as JSON; - reads it from standard input.")
]
Storage = Annotated[str | None, typer.Option(help="The folder of buckets.")]


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        print(f"headrace {__version__}")
        raise typer.Exit


@app.command()
def run(
    job: Job,
    storage: Storage = None,
    param: Params = None,
    threads: Annotated[str | None, typer.Option(help="Threads of the run.")] = None,
    memory_limit: Annotated[str | None, typer.Option(help="Memory of the engine, like 4GB.")] = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Run a job here and now, and print what it did.

    Ends with 0 when it is done, 1 when the run failed, 2 when the job is wrong, 130 when it was interrupted.
    """
    from headrace.cli import running, show

    with _told(as_json):
        settings = _settings(set_, storage=storage, threads=threads, memory_limit=memory_limit)
        report, code = running.run(_definition(job), _pairs(param, "--param"), settings)
    if as_json:
        _print_json(report.as_dict())
    else:
        print(show.report(report))
    if report.failure is not None:
        print(f"error: {_failure(report.failure)}", file=sys.stderr)
    raise typer.Exit(code)


@app.command()
def check(job: Job, param: Params = None, as_json: AsJson = False) -> None:
    """List everything that is wrong with a job, without touching data."""
    from headrace.cli import show

    with _told(as_json):
        definition = _definition(job)
        problems, warnings = definition.checked(_pairs(param, "--param"))
        if problems:
            raise JobInvalid(problems)
    if as_json:
        _print_json({"status": "VALID", "problems": [], "warnings": [w.as_dict() for w in warnings]})
        return
    print(f"{definition.body.name}: {show.counted(len(definition.graph.nodes), 'node')}, nothing is wrong")
    for node_id, op in definition.graph.plan().by_node.items():
        columns = ", ".join(f"{f.name} {f.type}" for f in op.schema)
        print(f"  {op.node} ({node_id}): {columns}")
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)


@app.command()
def script(
    job: Job,
    dialect: Annotated[str, typer.Option(help="duckdb or spark.")] = "duckdb",
    param: Params = None,
) -> None:
    """Print what a job runs: one named step for each node."""
    with _told(as_json=False):
        if dialect not in ("duckdb", "spark"):
            raise typer.BadParameter("duckdb or spark", param_hint="--dialect")
        sinks = _definition(job).plan(_pairs(param, "--param")).pruned
        if dialect == "duckdb":
            from headrace.engines.duckdb.text import shown
        else:
            from headrace.engines.spark import script as shown
        print(shown(sinks))


@app.command()
def nodes(
    type_: Annotated[str | None, typer.Argument(metavar="TYPE", help="One node type.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the node types, or show one with its fields and an example."""
    from headrace.cli import catalogue

    with _told(as_json):
        if as_json:
            _print_json(catalogue.as_json(type_))
        else:
            print(catalogue.page(type_) if type_ else catalogue.overview())


@app.command()
def infer(
    what: Annotated[str, typer.Argument(metavar="FILE|BUCKET/PREFIX", help="A file, or a place in the storage.")],
    storage: Storage = None,
    rows: Annotated[int, typer.Option(min=1, help="How many rows to look at, of each file's beginning.")] = 100_000,
    encoding: Annotated[str | None, typer.Option(help="Of CSV; else it is found by its bytes.")] = None,
    header: Annotated[
        bool | None, typer.Option("--header/--no-header", help="Of CSV; else the first record tells.")
    ] = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Suggest a source node for data: its columns, their types, and why."""
    from headrace.cli import inferring
    from headrace.core.inference import Told

    with _told(as_json):
        told = Told(encoding.upper() if encoding else None, header)
        done = inferring.suggest(what, _settings(set_, storage=storage), rows=rows, told=told)
    if as_json:
        _print_json({"node": done.node, "reasons": done.reasons, "notes": done.notes})
        return
    print(json.dumps(done.node, indent=2, ensure_ascii=False))
    for line in (*(f"{name}: {reason}" for name, reason in done.reasons.items()), *done.notes):
        print(line, file=sys.stderr)


@app.command()
def settings(set_: Set = None, as_json: AsJson = False) -> None:
    """Show the settings in force, and where each comes from."""
    from headrace.cli import show

    with _told(as_json):
        in_force = _settings(set_).resolved
    if as_json:
        _print_json({r.setting.name: {"value": r.shown, "origin": r.origin} for r in in_force})
        return
    print(show.table(("setting", "value", "from"), [(r.setting.name, r.shown or "-", r.origin) for r in in_force]))


@app.command()
def doctor(set_: Set = None, as_json: AsJson = False) -> None:
    """Look at everything that a server needs, and say what is wrong and what would do.

    Ends with 1 when something is wrong. It changes nothing, but writes and removes an object in each bucket of object
    storage that the settings name.
    """
    from headrace.cli import show
    from headrace.service import doctor as service

    with _told(as_json):
        found = tuple(service.findings(_settings(set_)))
    if as_json:
        _print_json([{"part": f.part, "state": f.state, "message": f.told, "hint": f.hint} for f in found])
    else:
        print(show.table(("", "part", "what", "what would do"), [(f.state, f.part, f.told, f.hint) for f in found]))
    raise typer.Exit(1 if any(f.state == "wrong" for f in found) else 0)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[str | None, typer.Option(help="Port to listen on.")] = None,
    data: Annotated[str | None, typer.Option(help="The folder of everything that the server keeps.")] = None,
    storage: Storage = None,
    tls_cert: Annotated[str | None, typer.Option(help="A certificate as PEM: speak TLS.")] = None,
    tls_key: Annotated[str | None, typer.Option(help="Its private key.")] = None,
    tls: Annotated[str | None, typer.Option(help="self-signed: speak TLS with a certificate made here.")] = None,
    insecure_http: Annotated[bool, typer.Option("--insecure-http", help="Listen to others without TLS.")] = False,
    set_: Set = None,
) -> None:
    """Answer the API and run what it is asked for, until SIGTERM or Ctrl-C."""
    from headrace.cli import serving

    with _told(as_json=False):
        insecure = "true" if insecure_http else None
        own = {"tls_cert": tls_cert, "tls_key": tls_key, "tls": tls, "insecure_http": insecure}
        serving.serve(_settings(set_, host=host, port=port, data=data, storage=storage, **own))


@app.command()
def worker(storage: Storage = None, set_: Set = None) -> None:
    """Run what servers put into their common queue, until SIGTERM or Ctrl-C."""
    from headrace.cli import serving

    with _told(as_json=False):
        serving.work(_settings(set_, storage=storage))


@database.command("upgrade")
def upgrade_database(set_: Set = None) -> None:
    """Make the tables of the server's database, or bring them to this version."""
    from headrace.cli import serving

    with _told(as_json=False):
        serving.upgrade(_settings(set_))


@database.command("backup")
def backup_database(
    to: Annotated[Path, typer.Argument(metavar="FILE|FOLDER", help="A new file, or a folder to put one into.")],
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Write a backup of the database; servers may go on meanwhile.

    Neither secret.key, which secrets are encrypted with, nor the buckets are in it: keep those elsewhere.
    """
    from headrace.service import keeping

    with _told(as_json):
        path = keeping.backup(_settings(set_), to)
    if as_json:
        _print_json({"file": str(path)})
    else:
        print(f"{path}\nwithout secret.key and without the buckets: keep those elsewhere")


@database.command("restore")
def restore_database(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What backup wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a database that has jobs or keys.")] = False,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Bring a backup back, into a database that no server works with.

    A backup of SQLite can be brought into PostgreSQL, too: that is how a server moves.
    """
    from headrace.service import keeping

    with _told(as_json):
        done = keeping.restore(_settings(set_), file, force=force)
    if as_json:
        _print_json({"schema": done.version, "upgraded": done.upgraded, "secretsReadable": done.readable})
    else:
        print(f"the database is as it was in {file}" + ("; its tables were upgraded" if done.upgraded else ""))
    if not done.readable:
        told = "the secrets of its keys can't be opened with the secret.key that is here: bring back the one it had"
        print(f"warning: {told}", file=sys.stderr)


def _definition(path: Path) -> Any:
    from headrace import definition

    return definition.load(sent(path, "JOB"))


def _failure(failure: Any) -> str:
    place = f"node {failure.node!r} ({failure.node_id}): " if failure.node_id is not None else ""
    return f"{place}{failure.message}" + (f"; {failure.hint}" if failure.hint else "")
