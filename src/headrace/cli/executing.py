"""`headrace jobs run` and `logs`: an execution begun, waited for and shown."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from headrace.cli import show
from headrace.cli.asking import Ask
from headrace.cli.following import Piece, Signals, code, heard
from headrace.cli.following import follow as followed
from headrace.cli.listing import id_of
from headrace.cli.manner import print_json

if TYPE_CHECKING:
    from headrace.settings import Settings

Json = dict[str, Any]
_PAGE = 1000


def begin(ask: Ask, name: str, parameters: Mapping[str, str]) -> Json:
    """Put a run of the job into the queue."""
    begun: Json = ask("POST", f"/api/v1/jobs/{id_of(ask, name)}/executions", {"parameters": dict(parameters)})
    return begun


def waited(ask: Ask, begun: Json, settings: "Settings") -> tuple[Json, int]:
    """Wait for the end of an execution, showing its log. Gives the execution with its report, and the exit code."""
    job_id, execution_id = begun["jobId"], begun["jobExecutionId"]
    target = f"/api/v1/jobs/{job_id}/executions/{execution_id}"
    with heard() as signals, helped(ask, settings) as helps:
        over = followed(ask, target, signals, show=_beside)
        if not over and helps:
            print("it is cancelled", file=sys.stderr, flush=True)
            ask("POST", f"{target}/cancel")
            followed(ask, target, Signals(), show=_beside)
    execution: Json = ask("GET", target)
    if over or helps:
        told = ask("GET", f"{target}/report")
        shown = {**execution, "attempts": told["attempts"], "report": told["report"]}
        return shown, code(execution) if over else signals.code
    told = f"headrace jobs logs {job_id} {execution_id} -f, or: headrace jobs cancel {job_id} {execution_id}"
    print(f"the execution goes on; see it by: {told}", file=sys.stderr)
    return execution, signals.code


def logged(ask: Ask, target: str, *, follow: bool, as_json: bool) -> int:
    """Print the log of an execution, to its end when it is followed. Gives the exit code.

    As JSON it is a list; of one that is followed, an object a line.
    """
    with heard() as signals:
        if follow:
            over = followed(ask, target, signals, show=_as_line if as_json else _as_text)
            return code(ask("GET", target)) if over else signals.code
        pieces = [piece for part in _parts(ask, target) for piece in part]
    if as_json:
        print_json(pieces)
    else:
        sys.stdout.writelines(str(piece["text"]) for piece in pieces)
    return 0


def _beside(piece: Piece) -> None:
    print(piece["text"], end="", file=sys.stderr, flush=True)


def _as_text(piece: Piece) -> None:
    print(piece["text"], end="", flush=True)


def _as_line(piece: Piece) -> None:
    print(json.dumps(piece, ensure_ascii=False), flush=True)


def shown(execution: Json) -> str:
    """An execution that is over, for people."""
    report = execution.get("report") or {}
    parts = [part for part in (_sources(report.get("sources", ())), _targets(report.get("targets", ()))) if part]
    failure = execution.get("failure")
    if failure:
        parts.append(f"{failure.get('code')}: {failure.get('message')}")
    times = f"waited {execution['waitingTime']} s, ran {execution['runningTime']} s"
    name = execution.get("jobName", execution["jobId"])
    parts.append(f"{execution['status']}  {name}  execution {execution['jobExecutionId']}  {times}")
    return "\n\n".join(parts)


@contextmanager
def helped(ask: Ask, settings: "Settings") -> Iterator[bool]:
    """A worker in this process where nobody else would run what waits; gives whether there is one."""
    if not ask.is_local:
        yield False
        return
    from headrace.cli.local import Local
    from headrace.db.holding import is_held
    from headrace.service import journal
    from headrace.service.serve import helping

    assert isinstance(ask, Local)
    if is_held(ask.database):
        yield False
        return
    print("no server runs: this command runs what waits", file=sys.stderr, flush=True)
    journal.begin(settings, least="warning")
    with helping(ask.database, settings):
        yield True


def _parts(ask: Ask, target: str) -> Iterator[list[Json]]:
    after = 0
    while True:
        answer = ask("GET", f"{target}/log?after={after}&limit={_PAGE}")
        yield answer["list"]
        after = answer["next"]
        if len(answer["list"]) < _PAGE:
            return


def _sources(sources: Any) -> str:
    rows = [
        (s["node"], s["place"], s["format"], len(s["objects"]), show.size(s["bytes"]), f"{s['rows']:,}", _bad(s))
        for s in sources
    ]
    headers = ("read", "from", "as", "objects", "bytes", "rows", "did not fit")
    return show.table(headers, rows, right=("objects", "bytes", "rows")) if rows else ""


def _targets(targets: Any) -> str:
    rows = [
        (t["node"], t["place"], t["format"], len(t["files"]), show.size(t["bytes"]), f"{t['rows']:,}") for t in targets
    ]
    headers = ("wrote", "to", "as", "files", "bytes", "rows")
    return show.table(headers, rows, right=("files", "bytes", "rows")) if rows else ""


def _bad(source: Json) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in source["badValues"].items() if count) or "-"
