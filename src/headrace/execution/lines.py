"""The lines between a worker and its child: one JSON object each, named by its class."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from headrace.engines.base import Progress

PARENT = "HEADRACE_PARENT"
"""The variable that tells a child the process id of its worker."""

StopCode = Literal["cancelled", "timed-out", "out-of-memory", "worker-stopped", "lease-lost"]


@dataclass(frozen=True, slots=True)
class Order:
    """To the child: run this with so many threads, or fewer. Without a beat it ends itself at `until`.

    That is a moment of the clock that all processes of the machine share, the same however late the line is read.
    When an earlier attempt may have published, it looks for that first.
    """

    execution_id: str
    job: str
    attempt: int
    definition: str
    parameters: Mapping[str, str]
    nrn: str
    threads: int
    until: float
    grants: Mapping[str, Any] | None = None
    may_have_published: bool = False


@dataclass(frozen=True, slots=True)
class Beat:
    """To the child: the lease holds until then."""

    until: float


@dataclass(frozen=True, slots=True)
class Stop:
    """To the child: give the run up, for this cause."""

    code: StopCode
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """To the child: whether it may commit."""

    granted: bool


@dataclass(frozen=True, slots=True)
class Ready:
    """From the child: all is loaded."""


@dataclass(frozen=True, slots=True)
class Log:
    """From the child: a line for the log of the run."""

    text: str


@dataclass(frozen=True, slots=True)
class Script:
    """From the child: what it runs, as a text for people in the language of that engine."""

    engine: str
    text: str


@dataclass(frozen=True, slots=True)
class CommitAsked:
    """From the child: everything is staged; may it be published?"""


@dataclass(frozen=True, slots=True)
class Done:
    """From the child: the report, and whether the run was light, so that the child can take another one."""

    report: Mapping[str, Any]
    light: bool


ToChild = Order | Beat | Stop | Answer
# A child tells how far its run is as the engine does.
FromChild = Ready | Log | Script | Progress | CommitAsked | Done
_TO_CHILD: Mapping[str, type[ToChild]] = {kind.__name__: kind for kind in (Order, Beat, Stop, Answer)}
_FROM_CHILD: Mapping[str, type[FromChild]] = {
    kind.__name__: kind for kind in (Ready, Log, Script, Progress, CommitAsked, Done)
}


def encode(line: ToChild | FromChild) -> bytes:
    """The line as it goes through the pipe, with its end."""
    # `asdict` would copy all that is below.
    told = {name: getattr(line, name) for name in line.__slots__}
    return json.dumps({"line": type(line).__name__, **told}, ensure_ascii=False).encode() + b"\n"


def to_child(text: bytes) -> ToChild:
    """What a worker said."""
    sent = json.loads(text)
    return _TO_CHILD[sent.pop("line")](**sent)


def from_child(text: bytes) -> FromChild:
    """What a child said."""
    sent = json.loads(text)
    return _FROM_CHILD[sent.pop("line")](**sent)
