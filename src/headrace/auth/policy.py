"""Which role may do what, by the vendor's names of actions: `View/getJobDetail`, `Change/createJob`.

A role is a set of patterns; `View/*` is all that begins so. What nobody is given is refused.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Literal, get_args

Action = Literal[
    "View/getExecutionCount",
    "View/getExecutionCountByInterval",
    "View/getExecutionTimes",
    "View/getWorkflowList",
    "View/getWorkflowDetail",
    "View/getWorkflowExecutionList",
    "View/getJobList",
    "View/getJobDetail",
    "View/getJobExecutionList",
    "View/getJobExecutionDetail",
    "View/getTriggerList",
    "View/getTriggerDetail",
    "View/verifyJob",
    "Change/createWorkflow",
    "Change/updateWorkflow",
    "Change/deleteWorkflow",
    "Change/executeWorkflow",
    "Change/cancelWorkflowRun",
    "Change/createJob",
    "Change/updateJob",
    "Change/deleteJob",
    "Change/executeJob",
    "Change/updateJobExecutionConfig",
    "Change/cancelJobExecution",
    "Change/createTrigger",
    "Change/updateTrigger",
    "Change/deleteTrigger",
]

ACTIONS: tuple[Action, ...] = get_args(Action)
ROLES: Mapping[str, tuple[str, ...]] = {"manager": ("View/*", "Change/*"), "viewer": ("View/*",)}


def allows(role: str, action: Action) -> bool:
    """Whether a role may do this; an unknown role may do nothing."""
    return any(fnmatchcase(action, pattern) for pattern in ROLES.get(role, ()))
