"""`headrace workflows`: workflows and their runs, in a server or in the database of this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headrace.cli.manner import AsJson, Set, Url, asked, print_either, sent, settings_of

if TYPE_CHECKING:
    from headrace.cli.asking import Ask

workflows = typer.Typer(
    help="Workflows and their runs: those of the server that `url` names, or of the database on this machine.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(metavar="WORKFLOW", help="The workflow: its id or its name.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A createWorkflow body as JSON; - reads standard input.")]
RunId = Annotated[str | None, typer.Argument(metavar="RUN", help="Its id; without one, the last.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for its end.")]


@workflows.command("list")
def list_workflows(
    name: Annotated[str | None, typer.Option(help="Only workflows whose name contains this.")] = None,
    url: Url = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """List the workflows, the newest first."""
    from headrace.cli import flows

    with asked(as_json, set_, url) as ask:
        found = flows.workflows(ask, name=name)
        print_either(found, flows.shown_workflows(found), as_json)


@workflows.command()
def show(name: Name, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """Show a workflow, and its last runs."""
    from headrace.cli import flows

    with asked(as_json, set_, url) as ask:
        found = flows.workflow(ask, name)
        print_either(found, flows.shown_workflow(ask, found) if not as_json else "", as_json)


@workflows.command()
def create(file: File, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """Make a workflow."""
    with asked(as_json, set_, url) as ask:
        made = ask("POST", "/api/v1/workflows", sent(file, "FILE"))
        print_either(made, f"{made['name']} is workflow {made['workflowId']}", as_json)


@workflows.command()
def update(name: Name, file: File, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """Replace a workflow by what a file says; runs that have begun go on as they began."""
    from headrace.cli import flows

    with asked(as_json, set_, url) as ask:
        changed = ask("PUT", f"/api/v1/workflows/{flows.id_of(ask, name)}", sent(file, "FILE"))
        print_either(changed, f"{changed['name']} is changed", as_json)


@workflows.command()
def delete(name: Name, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """Delete a workflow; what it executed stays."""
    from headrace.cli import flows

    with asked(as_json, set_, url) as ask:
        workflow_id = flows.id_of(ask, name)
        ask("DELETE", f"/api/v1/workflows/{workflow_id}")
        print_either({"workflowId": workflow_id, "status": "DELETED"}, f"workflow {workflow_id} is deleted", as_json)


@workflows.command()
def run(
    name: Name,
    payload: Annotated[Path | None, typer.Option(help="A JSON object for the run; - reads standard input.")] = None,
    now_too: Annotated[bool, typer.Option("--now", help="Run it now, also when a schedule starts it.")] = False,
    wait: Wait = True,
    url: Url = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Run a workflow, and wait for its end.

    Ends with 0 when it completed, 1 when it failed or was cancelled, 2 when something was asked wrongly. Ctrl-C ends
    the waiting with 130, and the run goes on. Where neither server nor worker is, this command runs it itself.
    """
    from headrace.cli import flows

    with asked(as_json, set_, url) as ask:
        handed = None if payload is None else flows.payload(sent(payload, "--payload"))
        target = flows.begin(ask, name, payload=handed, now_too=now_too)
        code = _followed(ask, target, wait, set_, url, as_json)
    raise typer.Exit(code)


@workflows.command()
def runs(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    url: Url = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """List the runs of a workflow, the newest first."""
    from headrace.cli import flows

    with asked(as_json, set_, url) as ask:
        found = flows.runs(ask, flows.id_of(ask, name), limit=limit)
        print_either(found, flows.shown_runs(found), as_json)


@workflows.command("show-run")
def show_run(name: Name, run: RunId = None, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """Show a run: how each of its jobs stands."""
    from headrace.cli import flows

    with asked(as_json, set_, url) as ask:
        found = ask("GET", flows.run_target(ask, name, run))
        print_either(found, flows.shown_run(found), as_json)


@workflows.command()
def cancel(name: Name, run: RunId = None, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """Stop a run: what waits never starts, what runs is stopped."""
    from headrace.cli import flows

    with asked(as_json, set_, url) as ask:
        target = flows.run_target(ask, name, run)
        ask("POST", f"{target}/cancel")
        done = ask("GET", target)
        print_either(done, f"run {done['runId']} is told to stop; it is {done['status']}", as_json)


@workflows.command()
def rerun(
    name: Name, run: RunId = None, wait: Wait = True, url: Url = None, set_: Set = None, as_json: AsJson = False
) -> None:
    """Go on with a run from what failed or was cancelled; what completed stays as it is."""
    from headrace.cli import flows

    with asked(as_json, set_, url) as ask:
        target = flows.run_target(ask, name, run)
        ask("POST", f"{target}/rerun")
        code = _followed(ask, target, wait, set_, url, as_json)
    raise typer.Exit(code)


def _followed(ask: "Ask", target: str, wait: bool, assigned: list[str] | None, url: str | None, as_json: bool) -> int:
    """Wait for the end of a run when that is wanted, and show it; gives the exit code."""
    from headrace.cli import flows

    if not wait:
        begun = ask("GET", target)
        print_either(begun, f"run {begun['runId']} is {begun['status']}", as_json)
        return 0
    done, code = flows.waited(ask, target, settings_of(assigned, url=url))
    print_either(done, flows.shown_run(done), as_json)
    return code
