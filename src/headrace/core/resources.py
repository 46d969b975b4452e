"""Whether what a job names outside is there: data of sources, buckets of targets, scripts, logs, keys that encrypt.

A look at the same things that a run looks at, by the same means; nothing is written.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headrace.auth.principal import Principal
from headrace.core import conditions, rights
from headrace.definition import Definition, of
from headrace.engines.encryption import used
from headrace.errors import JobInvalid, NotGranted, Problem, StoreError, StoreMissing
from headrace.execution.places import opened
from headrace.plan.ops import Op, Place, Read, Write
from headrace.readings import named_keys
from headrace.settings import Settings
from headrace.stores.base import Store
from headrace.stores.names import clean_prefix, record_key
from headrace.stores.publish import snapshot


def look(principal: Principal, sent: Mapping[str, Any], settings: Settings) -> None:
    """Raise the StoreError of the first thing that is not there or can't be reached, with its node.

    A job with problems is passed over: those are told first. Raises NotGranted for what the caller may not touch.
    """
    try:
        read = of(sent)
    except JobInvalid:
        return
    if read.checked({})[0]:
        return
    plan = read.graph.plan()
    rights.refuse_plan(principal.data, plan)
    condition = read.body.job_condition
    own = [*_own(principal, "scriptPath", condition.script_path), *_own(principal, "logPath", condition.log_path)]
    ops = tuple(plan.by_node.values())
    for name, op in used(ops).items():
        if name not in named_keys(settings["encryption_keys"]):
            told = f"there is no key {name!r} to encrypt with"
            raise StoreMissing(told, hint="put it into encryption_keys", node_id=op.node_id, node=op.node)
    store = opened(settings, places=(*_places(ops), *(place for _, place in own)), nrn=condition.nrn)
    for op in ops:
        _look_at(store, op, filled=op.node_id in _filled(read))
    for field, place in own:
        try:
            _look_into(store, place)
        except StoreError as error:
            error.message = f"jobCondition.{field}: {error.message}"
            raise


def _look_at(store: Store, op: Op, *, filled: bool) -> None:
    try:
        match op:
            case Read(place=Place() as place) if not filled:
                snapshot(store, place)
            case Read(place=Place() as place) | Write(place=Place() as place):
                _look_into(store, Place(place.bucket, "" if filled else place.prefix))
            case _:
                pass
    except StoreError as error:
        error.node_id, error.node = op.node_id, op.node
        raise


def _look_into(store: Store, place: Place) -> None:
    """Read what may lie there: the bucket has to be there, and to let us."""
    store.read(place.bucket, record_key(clean_prefix(place)))


def _own(principal: Principal, field: str, path: str) -> Iterator[tuple[str, Place]]:
    """A place that the job names itself; the usual one is made when it is needed."""
    if not path:
        return
    bucket, folder = conditions.place(path)
    if not principal.data.allow("write", bucket, folder):
        told = f"the key has no right to write {path}"
        raise NotGranted([Problem("not-granted", told, field=f"jobCondition.{field}")])
    yield field, Place(bucket, folder)


def _places(ops: Iterable[Op]) -> Iterator[Place]:
    for op in ops:
        if isinstance(op, Read | Write):
            yield op.place


def _filled(read: Definition) -> set[object]:
    """The nodes whose prefix hangs on a parameter: where they read and write is known when the job is executed."""
    return {node["id"] for node in read.body.nodes if read.body.parameters and "${" in str(node.get("prefix"))}
