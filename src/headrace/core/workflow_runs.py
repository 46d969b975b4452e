"""Runs of workflows: started, and carried on as their jobs end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from headrace.auth.principal import Principal

Overlap = Literal["QUEUE", "SKIP", "ALLOW", "CANCEL_PREVIOUS"]


@dataclass(frozen=True, slots=True)
class Origin:
    """The trigger that started a run."""

    trigger_id: str
    trigger_name: str


def start(
    con: Connection,
    principal: Principal,
    workflow_id: str,
    *,
    trigger: Origin,
    payload: Mapping[str, Any] | None,
    scheduled_for: datetime | None,
    overlap: Overlap,
    now: datetime,
) -> str | None:
    """Start a run of a workflow; gives its id, or None where `overlap` is SKIP and an earlier one has not ended.

    Asked again for the same trigger and `scheduled_for`, it gives the run that was started first. Raises NotFound,
    and BadState for a workflow that can't be run as it is.
    """
    raise NotImplementedError
