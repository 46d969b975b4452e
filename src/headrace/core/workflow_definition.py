"""A workflow as its user writes it: the body of a createWorkflow request, and what is wrong with its graph.

A graph is one trigger and jobs behind it; `parentNodeIds` alone says what comes after what. Nothing here knows which
jobs and triggers exist: that is looked up by `workflows`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field as Described
from pydantic import ValidationError

from headrace.definition import JobCondition, Name
from headrace.errors import BadParameter, Problem
from headrace.graph import unknown_fields
from headrace.nodes.base import nearest
from headrace.nodes.wire import Flag, Whole, Wire
from headrace.wording import field_problem

RunOn = Literal["SUCCEEDED", "FAILED", "DONE"]
MOST_NODES = 1_000
# A value of a parameter that is taken from the payload of the run.
FROM_PAYLOAD = re.compile(r"payload((?:\.[A-Za-z0-9_-]+)+)")


class WorkflowNode(Wire):
    """The trigger, or a job. `triggerRule` and `isValid` are what answers say of it, and may be sent again."""

    id: Annotated[str, Described(min_length=1, max_length=100)]
    name: Annotated[str, Described(min_length=1, max_length=100)]
    type: Literal["TRIGGER", "JOB"]
    parent_node_ids: tuple[str, ...]
    trigger_rule: str | None = None
    job_condition: JobCondition | None = None
    run_on: RunOn = "SUCCEEDED"
    parameters: Mapping[str, str | Whole] | None = None
    is_valid: bool | None = None


class WorkflowBody(Wire):
    """The fields of a createWorkflow request."""

    name: Name
    nodes: tuple[Any, ...]
    is_temp: Flag = False


@dataclass(frozen=True)
class WorkflowDefinition:
    """A workflow that could be read as one; its graph may still have problems. `sent` is what was sent, unchanged."""

    sent: Mapping[str, Any]
    body: WorkflowBody
    nodes: tuple[WorkflowNode, ...]
    unreadable: tuple[Problem, ...]

    @property
    def jobs(self) -> tuple[WorkflowNode, ...]:
        """The nodes that are jobs, in the order in which they were sent."""
        return tuple(node for node in self.nodes if node.type == "JOB")

    @property
    def trigger(self) -> WorkflowNode | None:
        """The node that is the trigger; the first one of a draft that has several."""
        return next((node for node in self.nodes if node.type == "TRIGGER"), None)

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong with the nodes and how they hang together, but for what only the tables know."""
        return (*self.unreadable, *self._kinds(), *self._ids(), *self._structure())

    @cached_property
    def warnings(self) -> tuple[Problem, ...]:
        """Fields that nobody knows."""
        own = [Problem("unknown-field", _UNKNOWN, hint, field=path) for path, hint in unknown_fields(self.body)]
        of_nodes = [
            about(node, path, _UNKNOWN, hint, code="unknown-field")
            for node in self.nodes
            for path, hint in unknown_fields(node)
        ]
        return (*own, *of_nodes)

    def _kinds(self) -> Iterator[Problem]:
        if self.unreadable:
            return  # what is missing may stand in a node that could not be read
        triggers = sum(node.type == "TRIGGER" for node in self.nodes)
        if triggers == 0:
            told = "the workflow has no trigger", "add a node of type TRIGGER that its jobs come after"
            yield _own("no-trigger", *told)
        if not self.jobs:
            yield _own("no-job", "the workflow has no job", "add a node of type JOB")
        for node in [node for node in self.nodes if node.type == "TRIGGER"][1:]:
            yield about(
                node, "", "is a second trigger", "a workflow has one: make another workflow", code="two-triggers"
            )

    def _ids(self) -> Iterator[Problem]:
        for node_id, count in Counter(node.id for node in self.nodes).items():
            if count > 1:
                same = [node for node in self.nodes if node.id == node_id]
                what = f"the same {same[0].type.lower()} stands in {count} nodes"
                yield about(same[1], "id", what, "name each once; make a copy of the job", code="duplicate-id")

    def _structure(self) -> Iterator[Problem]:
        by_id = {node.id: node for node in self.nodes}
        for node in self.nodes:
            yield from self._parents(node, by_id)
        if len(by_id) == len(self.nodes):
            circles = set(_on_circles({node.id: node.parent_node_ids for node in self.nodes}))
            for node in self.nodes:
                if node.id in circles and node.type == "JOB":
                    alone = node.id in node.parent_node_ids
                    what = "the job waits for itself" + ("" if alone else ", by way of others")
                    yield about(node, "parentNodeIds", what, "break the circle", code="cycle")
            yield from self._unreachable(circles)

    def _parents(self, node: WorkflowNode, by_id: Mapping[str, WorkflowNode]) -> Iterator[Problem]:
        parents = node.parent_node_ids
        if node.type == "TRIGGER" and parents:
            told = "a trigger comes first, and this one comes after others", "leave its parents empty"
            yield about(node, "parentNodeIds", *told, code="job-before-trigger")
        if len(set(parents)) < len(parents):
            yield about(node, "parentNodeIds", "a parent is named twice", "name each once", code="wrong-parents")
        for parent in dict.fromkeys(parents):
            if parent not in by_id and not self.unreadable:
                hint = nearest(parent, by_id)
                yield about(node, "parentNodeIds", f"there is no node {parent!r}", hint, code="unknown-parent")

    def _unreachable(self, circles: set[str]) -> Iterator[Problem]:
        """Jobs that no way leads to from the trigger, but for what is told of them elsewhere."""
        if self.trigger is None or self.unreadable:
            return
        reached = {node.id for node in self.nodes if node.type == "TRIGGER"}
        known = {node.id for node in self.nodes}
        while more := {n.id for n in self.jobs if n.id not in reached and reached & set(n.parent_node_ids)}:
            reached |= more
        for node in self.jobs:
            if node.id not in reached and node.id not in circles and set(node.parent_node_ids) <= known:
                hint = f"name the trigger {self.trigger.id!r}, or a job behind it, as its parent"
                yield about(node, "parentNodeIds", "nothing starts this job", hint, code="unreachable")


def read(sent: Mapping[str, Any]) -> WorkflowDefinition:
    """A workflow from JSON values. Raises BadParameter when its own fields are wrong, with what is wrong with nodes."""
    given = sent.get("nodes")
    nodes, unreadable = _nodes(given if isinstance(given, list) else [])
    try:
        body = WorkflowBody.model_validate(sent)
    except ValidationError as error:
        own = [_of_workflow(field_problem(detail, None, "", "")) for detail in error.errors()]
        raise BadParameter((*own, *unreadable)) from None
    if len(body.nodes) > MOST_NODES:
        raise BadParameter([_own("too-many-nodes", f"{len(body.nodes)} nodes", f"at most {MOST_NODES}")])
    return WorkflowDefinition(sent, body, nodes, unreadable)


def about(node: WorkflowNode, field: str, message: str, hint: str = "", *, code: str) -> Problem:
    """A problem of a node."""
    return Problem(code, message, hint, node.id, node.name, field, subject="workflow")


def _nodes(sent: Sequence[object]) -> tuple[tuple[WorkflowNode, ...], tuple[Problem, ...]]:
    nodes: list[WorkflowNode] = []
    problems: list[Problem] = []
    for index, item in enumerate(sent[: MOST_NODES + 1]):
        if not isinstance(item, Mapping):
            problems.append(Problem("bad-node", "is no object", field=f"nodes[{index}]", subject="workflow"))
            continue
        try:
            nodes.append(WorkflowNode.model_validate(item))
        except ValidationError as error:
            problems += _of_node(error, index)
    return tuple(nodes), tuple(problems)


def _of_node(error: ValidationError, index: int) -> Iterable[Problem]:
    """What is wrong with the fields of a node; of a union only one branch is told."""
    place, seen = f"nodes[{index}]", set()
    for detail in error.errors():
        if detail["loc"][:1] == ("parameters",):
            detail = {**detail, "loc": detail["loc"][:2], "msg": "is neither a text nor a whole number", "type": "kind"}
        problem = _of_workflow(field_problem(detail, None, "", place))
        if problem.field not in seen:
            seen.add(problem.field)
            yield problem


def _of_workflow(problem: Problem) -> Problem:
    return Problem(problem.code, problem.message, problem.hint, field=problem.field, subject="workflow")


def _own(code: str, message: str, hint: str) -> Problem:
    return Problem(code, message, hint, field="nodes", subject="workflow")


def _on_circles(parents: Mapping[str, Sequence[str]]) -> list[str]:
    """The nodes of the circles alone, neither those before nor those after one."""
    waiting = {node: {parent for parent in before if parent in parents} for node, before in parents.items()}
    for _ in range(2):
        while free := [node for node, before in waiting.items() if not before]:
            for node in free:
                del waiting[node]
            for before in waiting.values():
                before.difference_update(free)
        # What is left is on a circle or after one; turned round, the same takes away those after it.
        waiting = {node: {child for child, before in waiting.items() if node in before} for node in waiting}
    return list(waiting)


_UNKNOWN = "is not a field that we know; it is kept and has no effect"
