"""A job as its user writes it: the body of a createJob request.

`load` reads the text and finds everything that is wrong with it, all at once. Fields that we do not know are kept and
told; what was sent is never changed by reading it.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ValidationError, WithJsonSchema
from pydantic import Field as Described

from headrace.errors import JobInvalid, Problem
from headrace.graph import MOST_PROBLEMS, Graph, Plan, unknown_fields
from headrace.nodes.wire import Flag, Whole, Wire
from headrace.parameters import ParameterSpec, fill, resolve
from headrace.wording import field_problem, kind_of

MOST_NODES = 5_000
MOST_PARAMETERS = 1_000
_MOST_DIGITS = 400
NAME = r"^[A-Za-z_-][A-Za-z0-9_-]{2,99}$"


def _named(name: str) -> str:
    if not re.fullmatch(NAME, name) or name.endswith("\n"):
        told = "3 to 100 of A-Z, a-z, 0-9, '_' and '-', the first a letter, '_' or '-'"
        raise ValueError(f"{kind_of(name).removeprefix('the text ')} can't be a name; {told}")
    return name


Name = Annotated[str, AfterValidator(_named), WithJsonSchema({"type": "string", "pattern": NAME})]
"""What a job, a workflow or a trigger may be called."""


class JobCondition(Wire):
    """How to run the job. What is left out is the default."""

    worker_type: Literal["DEFAULT", "DATAFLOW"] = "DEFAULT"
    num_worker: Annotated[Whole, Described(ge=2, le=10)] = 2
    timeout: Annotated[Whole, Described(ge=0, le=1440)] = 360
    nrn: str = ""
    script_path: str = ""
    log_path: str = ""


class JobBody(Wire):
    """The fields of a createJob request, those of all generations of the API and ours."""

    name: Name
    nodes: tuple[Any, ...]
    description: str = ""
    type: Literal["DATAFLOW", "VISUAL", "SCRIPT"] = "DATAFLOW"
    is_temp: Flag = False
    max_concurrent_runs: Annotated[Whole, Described(ge=1, le=1000)] | None = None
    priority: Annotated[Whole, Described(ge=-1000, le=1000)] = 0
    retries: Annotated[Whole, Described(ge=0, le=10)] = 0
    job_condition: JobCondition = JobCondition()
    parameters: tuple[ParameterSpec, ...] = ()


@dataclass(frozen=True)
class Definition:
    """A job that could be read as one; its graph may still have problems. `sent` is what was sent, unchanged."""

    sent: Mapping[str, Any]
    body: JobBody

    @cached_property
    def graph(self) -> Graph:
        """The graph with parameters by their defaults, or by some value where there is none."""
        return self._filled({})[0]

    def checked(self, given: Mapping[str, str]) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
        """Problems and warnings of the job, with these parameters given; others may still be missing."""
        graph, problems = self._filled(given)
        told = [
            Problem("unknown-field", "is not a field that we know; it is kept and has no effect", hint, field=path)
            for path, hint in unknown_fields(self.body)
        ]
        return (*problems, *graph.problems), (*told, *graph.warnings)

    def plan(self, given: Mapping[str, str]) -> Plan:
        """What the job means with these parameters. Raises JobInvalid with every problem."""
        missing = [p for p in resolve(self.body.parameters, given)[1] if p.code == "missing-parameter"]
        # With a sample in the place of what is missing, the graph has no problems but its own.
        graph, problems = self._filled(given)
        if missing or problems or graph.problems:
            raise JobInvalid((*missing, *problems, *graph.problems))
        return graph.plan()

    def _filled(self, given: Mapping[str, str]) -> tuple[Graph, tuple[Problem, ...]]:
        """The graph with these parameters, and by some value where there is none. Who asks again gets the same one."""
        asked = tuple(sorted(given.items()))
        if asked not in self._graphs:
            self._graphs[asked] = self._fill(given)
        return self._graphs[asked]

    @cached_property
    def _graphs(self) -> dict[tuple[tuple[str, str], ...], tuple[Graph, tuple[Problem, ...]]]:
        return {}

    def _fill(self, given: Mapping[str, str]) -> tuple[Graph, tuple[Problem, ...]]:
        specs = self.body.parameters
        values, problems = resolve(specs, given, samples=True)
        graph = Graph.of(self.body.nodes)
        if not specs:
            return graph, tuple(problems)
        filled = [fill(node, specs, values) for node in graph.nodes]
        found = (problem for _, problems_of_node in filled for problem in problems_of_node)
        return Graph(tuple(node for node, _ in filled), graph.unreadable), (*problems, *found)


def load(text: str | bytes) -> Definition:
    """A job from its JSON text. Raises JobInvalid when it is not a job at all."""
    sent = parse(text)
    if not isinstance(sent, dict):
        raise JobInvalid([Problem("bad-job", "a job is a JSON object", "begin with { and name, nodes")])
    return of(sent)


def of(sent: Mapping[str, Any]) -> Definition:
    """A job from JSON values. Raises JobInvalid when its own fields are wrong, with the problems of its nodes."""
    _refuse_too_many(sent, "nodes", MOST_NODES)
    _refuse_too_many(sent, "parameters", MOST_PARAMETERS)
    try:
        body = JobBody.model_validate(sent)
    except ValidationError as error:
        problems = [field_problem(detail, None, "", "") for detail in error.errors()]
        nodes, may_be_empty = sent.get("nodes"), sent.get("isTemp") is True
        found = Graph.of(nodes).problems if isinstance(nodes, list) and (nodes or not may_be_empty) else ()
        raise JobInvalid((*problems, *found)) from None
    return Definition(sent, body)


def _refuse_too_many(sent: Mapping[str, Any], field: str, most: int) -> None:
    given = sent.get(field)
    if isinstance(given, list) and len(given) > most:
        raise JobInvalid(
            [Problem(f"too-many-{field}", f"has {len(given):,} entries", f"at most {most:,}", field=field)]
        )


def parse(text: str | bytes) -> object:
    """JSON values from text, stricter than the standard library. Raises JobInvalid that says where it is not JSON."""
    repeats: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(items)
        if len(made) < len(items):
            counts = Counter(name for name, _ in items)
            repeats.extend(name for name in made if counts[name] > 1)
        return made

    try:
        sent = json.loads(
            text, object_pairs_hook=pairs, parse_constant=_refuse, parse_int=_whole, parse_float=_fraction
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise JobInvalid([Problem("bad-json", f"not JSON: {error.msg.lower()} at {where}")]) from None
    except RecursionError:
        raise JobInvalid([Problem("bad-json", "the JSON is nested too deeply")]) from None
    except ValueError as error:
        raise JobInvalid([Problem("bad-json", f"not JSON: {error}")]) from None
    if repeats:
        hint = "JSON readers keep only one of them: leave one"
        raise JobInvalid(
            Problem("bad-json", f"the key {name!r} stands twice in one object", hint)
            for name in repeats[:MOST_PROBLEMS]
        )
    return sent


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON value")


def _fraction(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        raise ValueError(f"the number {digits[:40]} is too large")
    return value


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number has {len(digits):,} digits, and may have {_MOST_DIGITS}")
    return int(digits)
