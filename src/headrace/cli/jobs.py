"""`headrace jobs`: jobs and their executions, in a server or in the database of this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headrace.cli.manner import AsJson, Params, Set, Url, asked, pairs, print_either, sent, settings_of

if TYPE_CHECKING:
    pass

jobs = typer.Typer(
    help="Jobs and their executions: those of the server that `url` names, or of the database on this machine.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(metavar="JOB", help="The job: its id or its name.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A createJob body as JSON; - reads standard input.")]
Execution = Annotated[str | None, typer.Argument(metavar="EXECUTION", help="Its id; without one, the last.")]


@jobs.command("list")
def list_jobs(
    name: Annotated[str | None, typer.Option(help="Only jobs whose name contains this.")] = None,
    status: Annotated[str | None, typer.Option(help="Only jobs of this status.")] = None,
    url: Url = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """List the jobs, the newest first."""
    from headrace.cli import listing

    with asked(as_json, set_, url) as ask:
        found = listing.jobs(ask, name=name, status=status)
        print_either(found, listing.shown_jobs(found), as_json)


@jobs.command()
def show(name: Name, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """Show a job, and its last executions."""
    from headrace.cli import listing

    with asked(as_json, set_, url) as ask:
        job = listing.job(ask, name)
        print_either(job, listing.shown_job(ask, job) if not as_json else "", as_json)


@jobs.command()
def create(file: File, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """Make a job."""
    with asked(as_json, set_, url) as ask:
        job = ask("POST", "/api/v1/jobs", sent(file, "FILE"))
        print_either(job, f"{job['name']} is job {job['jobId']}", as_json)


@jobs.command()
def update(name: Name, file: File, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """Replace what a job does by what a file says; runs that wait or run go on as they were."""
    from headrace.cli import listing

    with asked(as_json, set_, url) as ask:
        job = ask("PUT", f"/api/v1/jobs/{listing.id_of(ask, name)}", sent(file, "FILE"))
        print_either(job, f"{job['name']} is {job['status']}", as_json)


@jobs.command()
def verify(file: File, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """List everything that is wrong with a job, without keeping it."""
    with asked(as_json, set_, url) as ask:
        ask("POST", "/api/v1/jobs/verify", sent(file, "FILE"))
        print_either({"status": "VALID", "problems": []}, "nothing is wrong", as_json)


@jobs.command()
def delete(name: Name, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """Delete a job; its executions stay."""
    from headrace.cli import listing

    with asked(as_json, set_, url) as ask:
        job_id = listing.id_of(ask, name)
        ask("DELETE", f"/api/v1/jobs/{job_id}")
        print_either({"jobId": job_id, "status": "DELETED"}, f"job {job_id} is deleted", as_json)


@jobs.command()
def run(
    name: Name,
    param: Params = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for its end, and show its log.")] = True,
    url: Url = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Execute a job, and wait for its end.

    Ends with 0 when it completed, 1 when it failed or was cancelled, 2 when something was asked wrongly. Ctrl-C ends
    the waiting with 130: an execution in a server goes on. Where neither server nor worker is, this command runs it
    itself, after those that wait already; then Ctrl-C cancels it.
    """
    from headrace.cli import executing

    with asked(as_json, set_, url) as ask:
        begun = executing.begin(ask, name, pairs(param, "--param"))
        if not wait:
            text = f"execution {begun['jobExecutionId']} of job {begun['jobId']} is {begun['status']}"
            print_either(begun, text, as_json)
            return
        done, code = executing.waited(ask, begun, settings_of(set_, url=url))
        print_either(done, executing.shown(done), as_json)
    raise typer.Exit(code)


@jobs.command()
def executions(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    url: Url = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """List the executions of a job, the newest first."""
    from headrace.cli import listing

    with asked(as_json, set_, url) as ask:
        found = listing.executions(ask, listing.id_of(ask, name, deleted=True), limit=limit)
        print_either(found, listing.shown_executions(found), as_json)


@jobs.command()
def logs(
    name: Name,
    execution: Execution = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the execution has ended.")] = False,
    url: Url = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Print the log of an execution."""
    from headrace.cli import executing, listing

    with asked(as_json, set_, url) as ask:
        target = listing.execution_target(ask, name, execution)
        code = executing.logged(ask, target, follow=follow, as_json=as_json)
    raise typer.Exit(code)


@jobs.command()
def cancel(name: Name, execution: Execution = None, url: Url = None, set_: Set = None, as_json: AsJson = False) -> None:
    """Stop an execution that waits or runs. It is told at once, and ends as soon as its worker hears of it."""
    from headrace.cli import listing

    with asked(as_json, set_, url) as ask:
        target = listing.execution_target(ask, name, execution)
        ask("POST", f"{target}/cancel")
        done = ask("GET", target)
        print_either(done, f"execution {done['jobExecutionId']} is told to stop; it is {done['status']}", as_json)
