"""Who may do what, by the vendor's names of actions: `View/getJobDetail`, `Change/createJob`. Pure.

A rule is a text: a pattern of actions (`View/*`), and behind an `@` one of things, by their id or their name
(`Change/executeJob@nightly-*`); without it the rule is about all of them. A key without rules of its own has those of
its role. What is denied is denied whatever else is allowed, and what nobody is given is refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

Action = Literal[
    "View/getExecutionCount",
    "View/getExecutionCountByInterval",
    "View/getExecutionTimes",
    "View/getJobStats",
    "View/getJobStatsByInterval",
    "View/getWorkflowList",
    "View/getWorkflowDetail",
    "View/getWorkflowExecutionList",
    "View/getWorkflowRevisionList",
    "View/getWorkflowRevisionDetail",
    "View/getJobList",
    "View/getJobDetail",
    "View/getJobExecutionList",
    "View/getJobExecutionDetail",
    "View/getTriggerList",
    "View/getTriggerDetail",
    "View/verifyJob",
    "View/getJobRevisionList",
    "View/getJobRevisionDetail",
    "View/getAuditList",
    "Change/createWorkflow",
    "Change/updateWorkflow",
    "Change/deleteWorkflow",
    "Change/executeWorkflow",
    "Change/cancelWorkflowRun",
    "Change/restoreWorkflowRevision",
    "Change/createJob",
    "Change/updateJob",
    "Change/deleteJob",
    "Change/executeJob",
    "Change/updateJobExecutionConfig",
    "Change/restoreJobRevision",
    "Change/cancelJobExecution",
    "Change/createTrigger",
    "Change/updateTrigger",
    "Change/deleteTrigger",
]

ACTIONS: tuple[Action, ...] = get_args(Action)


@dataclass(frozen=True, slots=True)
class Rule:
    """Actions, and the things that it is about."""

    action: str
    resource: str = "*"

    @classmethod
    def of(cls, text: str) -> "Rule":
        """A rule from its text."""
        action, _, resource = text.partition("@")
        return cls(action, resource or "*")

    def __str__(self) -> str:
        return self.action if self.resource == "*" else f"{self.action}@{self.resource}"

    def is_about(self, action: Action) -> bool:
        """Whether it says something about this action."""
        return fnmatchcase(action, self.action)

    def names(self, *words: str) -> bool:
        """Whether it is about a thing with one of these ids and names."""
        return any(fnmatchcase(word, self.resource) for word in words)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a key may do: what is allowed (None: what the role allows), less what is denied."""

    allow: tuple[Rule, ...] | None = None
    deny: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Policy":
        """A policy as it lies in the database, or as it was asked for: lists of rules."""
        allow = stored.get("allow")
        denied = tuple(map(Rule.of, stored.get("deny") or ()))
        return cls(None if allow is None else tuple(map(Rule.of, allow)), denied)

    def as_json(self) -> dict[str, list[str] | None]:
        """As it lies in the database."""
        return {
            "allow": None if self.allow is None else [str(rule) for rule in self.allow],
            "deny": [str(rule) for rule in self.deny],
        }


ROLES: Mapping[str, Policy] = {
    "manager": Policy.of({"allow": ["View/*", "Change/*"]}),
    # What others did is no viewer's business.
    "viewer": Policy.of({"allow": ["View/*"], "deny": ["View/getAuditList"]}),
}


def in_force(role: str, policy: Policy | None) -> Policy:
    """What a key may do in all; with an unknown role and no rules of its own, nothing."""
    standing = ROLES.get(role, Policy(allow=()))
    if policy is None:
        return standing
    if policy.allow is None:
        return Policy(standing.allow, (*standing.deny, *policy.deny))
    return policy


def allows(policy: Policy, action: Action, *things: str) -> bool:
    """Whether this may be done to a thing with these ids and names; without any, to some thing at least."""
    about = [rule for rule in policy.allow or () if rule.is_about(action)]
    against = [rule for rule in policy.deny if rule.is_about(action)]
    if not things:
        return bool(about) and not any(rule.resource == "*" for rule in against)
    return any(rule.names(*things) for rule in about) and not any(rule.names(*things) for rule in against)


def tells_things_apart(policy: Policy, action: Action) -> bool:
    """Whether it depends on the thing: then its name has to be looked up."""
    return any(rule.resource != "*" and rule.is_about(action) for rule in (*(policy.allow or ()), *policy.deny))


def unknown(texts: Iterable[str]) -> tuple[str, ...]:
    """The rules that are about no action that exists: typing errors, which would allow or deny nothing."""
    return tuple(text for text in texts if not any(Rule.of(text).is_about(action) for action in ACTIONS))
