"""`headrace stats`: how executions went, in a server or in the database of this machine."""

from typing import Annotated

import typer

from headrace.cli.manner import AsJson, Set, Url, asked, print_either

stats = typer.Typer(
    help="How executions went: those of the server that `url` names, or of the database on this machine.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(metavar="JOB", help="The job: its id or its name.")]
Days = Annotated[int, typer.Option(min=1, max=1000, help="Days until now, today among them.")]
Since = Annotated[str | None, typer.Option("--from", help="From when in place of that, like 2025-06-01T00:00:00.")]
Until = Annotated[str | None, typer.Option("--to", help="Until when, in Korean time too; without it, until now.")]


@stats.command("days")
def days_of_all(
    days: Days = 7,
    since: Since = None,
    to: Until = None,
    url: Url = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Count the executions of a period: how they ended, and how many there were on each day."""
    from headrace.cli import figures

    with asked(as_json, set_, url) as ask:
        found = figures.days(ask, figures.period(days, since, to))
        print_either(found, figures.shown_days(found), as_json)


@stats.command("jobs")
def all_jobs(
    days: Days = 7,
    since: Since = None,
    to: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many of the busiest jobs.")] = 20,
    url: Url = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Show for each job how its executions ended, how long they ran and waited, and their rows; the busiest first."""
    from headrace.cli import figures

    with asked(as_json, set_, url) as ask:
        found = figures.jobs(ask, figures.period(days, since, to), limit=limit)
        print_either(found, figures.shown_jobs(found), as_json)


@stats.command("job")
def one_job(
    name: Name,
    days: Days = 7,
    since: Since = None,
    to: Until = None,
    hourly: Annotated[bool, typer.Option("--hourly", help="By hours in place of days.")] = False,
    url: Url = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Show the same for one job, day by day."""
    from headrace.cli import figures

    with asked(as_json, set_, url) as ask:
        found = figures.job(ask, name, figures.period(days, since, to), hourly=hourly)
        print_either(found, figures.shown_job(found), as_json)
