"""Which data the jobs of somebody may touch: what they may read, what they may write, which `nrn` they may use. Pure.

A grant is a text: `*` is all data, `lake` a whole bucket, `lake/raw` a prefix with all below it. The bucket may be a
pattern (`team-*`); a prefix is taken by its parts, so that `raw` says nothing about `raw2`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from headrace.errors import Problem
from headrace.plan.ops import Op, Place, Read, Write
from headrace.stores.names import within

Use = Literal["read", "write"]
ALL = "*"


@dataclass(frozen=True, slots=True)
class Grants:
    """What may be read, what may be written, and the patterns of each `nrn` that may be used."""

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    nrn: tuple[str, ...] = ()

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Grants":
        """Grants as they lie in the database."""
        return cls(*(tuple(stored.get(name, ())) for name in ("read", "write", "nrn")))

    def as_json(self) -> dict[str, list[str]]:
        """As they lie in the database."""
        return {"read": list(self.read), "write": list(self.write), "nrn": list(self.nrn)}

    def allow(self, use: Use, bucket: str, prefix: str) -> bool:
        """Whether a place may be used so."""
        return any(_covers(grant, bucket, prefix) for grant in (self.read if use == "read" else self.write))

    def allow_nrn(self, nrn: str) -> bool:
        """Whether an `nrn` may be used; without one there is nothing to use."""
        return not nrn or any(fnmatchcase(nrn, pattern) for pattern in self.nrn)


EVERYTHING = Grants((ALL,), (ALL,), (ALL,))
NOTHING = Grants()


def ungranted(ops: Iterable[Op], grants: Grants) -> tuple[Problem, ...]:
    """Every place of a plan that may not be used as it is, with its node."""
    found = []
    for op in ops:
        match op:
            case Read(place=Place() as place) if not grants.allow("read", place.bucket, place.prefix):
                found.append(_refused("read", str(place), op))
            case Write(place=Place() as place) if not grants.allow("write", place.bucket, place.prefix):
                found.append(_refused("write", str(place), op))
            case _:
                pass
    return tuple(found)


def fault(grant: str) -> str:
    """What is wrong with a grant, or nothing."""
    if grant == ALL:
        return ""
    bucket, _, prefix = grant.partition("/")
    if not bucket or not grant.isprintable():
        return "is neither a bucket nor a bucket and a prefix like lake/raw"
    parts: Sequence[str] = prefix.removesuffix("/").split("/") if prefix else ()
    wrong = [part for part in parts if part in ("", ".", "..")]
    if wrong or ALL in prefix:
        return "has a prefix that can't be: only the bucket may be a pattern, and no part may be empty, . or .."
    return ""


def _covers(grant: str, bucket: str, prefix: str) -> bool:
    if grant == ALL:
        return True
    granted, _, folder = grant.partition("/")
    return fnmatchcase(bucket, granted) and within(prefix.strip("/"), folder.strip("/"))


def _refused(use: Use, place: str, op: Op) -> Problem:
    told = f"the key has no right to {use} {place}"
    field = "prefix" if place.partition("/")[2] else "bucketName"
    return Problem("not-granted", told, _HINT, node_id=op.node_id, node=op.node, field=field)


_HINT = "ask for a key that has it; `headrace keys show` tells what a key may use"
