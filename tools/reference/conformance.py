"""The pages of conformance: what the vendor documents and what we do about it; and the ledger of its contradictions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from headrace.api.naver.operations import OPERATIONS
from tools.reference.facts import LEDGER, STATES, Fact, Proof, Subject, every_fact, proofs, proved, subjects
from tools.reference.markdown import generated, table

_SOURCE = "tests/contract/facts and the tests that prove them"
_MOST_PROOFS = 2
_TITLES = {
    "answer": "The answer",
    "body": "The body",
    "errors": "Errors",
    "fields": "Fields",
    "headers": "Headers",
    "path": "The path",
    "query": "The query",
}


def pages() -> dict[str, str]:
    """`conformance` and `ledger`."""
    found = subjects()
    of_fact = proved(every_fact(found), proofs())
    ledger = [subject for subject in found if subject.file == LEDGER]
    rest = [subject for subject in found if subject.file != LEDGER]
    return {"conformance": _conformance(rest, of_fact), "ledger": _ledger(ledger, of_fact)}


def _conformance(found: Sequence[Subject], of_fact: Mapping[str, Sequence[Proof]]) -> str:
    counts = Counter(fact.state for subject in found for fact in subject.every)
    return generated(
        "Conformance",
        "What NAVER Cloud documents of its Data Flow API, line by line, and what Headrace does about it. The vendor's "
        "documentation has three generations: that of the launch (2023), that of 2025 and that of September 2026; a "
        "line says which of them have it. Where they contradict each other or say nothing, the "
        "[ledger](ledger.md) tells what we chose.",
        "**implemented** lines name a test that proves them. **planned** ones are not built; a note says what happens "
        "until then. **excluded** ones say why.",
        table(("state", "lines"), [(state, str(counts[state])) for state in STATES]),
        "## Operations",
        _operations(found, of_fact),
        *(part for subject in found for part in _section(subject, of_fact)),
        source=_SOURCE,
    )


def _operations(found: Iterable[Subject], of_fact: Mapping[str, Sequence[Proof]]) -> str:
    by_name = {subject.itself.id: subject.itself for subject in found}
    rows = []
    for operation in OPERATIONS:
        fact = by_name.get(operation.name)
        linked = f"[{operation.name}](#{operation.name.lower()})" if fact else operation.name
        state = _state(fact) if fact else "ours, not the vendor's"
        rows.append((linked, f"`{operation.method} {operation.path}`", state, _shown(fact, of_fact) if fact else ""))
    return table(("operation", "method and path", "state", "proof"), rows)


def _section(subject: Subject, of_fact: Mapping[str, Sequence[Proof]]) -> list[str]:
    itself = subject.itself
    parts = [f"## {itself.name}", itself.what]
    groups = dict.fromkeys(fact.group for fact in subject.facts)
    for group in groups:
        if len(groups) > 1 or group not in ("fields",):
            parts.append(f"**{_TITLES.get(group, group)}**")
        parts.append(_facts([fact for fact in subject.facts if fact.group == group], of_fact))
    return parts


def _facts(found: Iterable[Fact], of_fact: Mapping[str, Sequence[Proof]]) -> str:
    rows = [
        (f"`{fact.name}`", _kind(fact), fact.what, fact.seen, _state(fact), _shown(fact, of_fact)) for fact in found
    ]
    return table(("name", "kind", "what it is", "in", "state", "proof"), rows)


def _kind(fact: Fact) -> str:
    limits = {
        (True, True): f", {fact.least} to {fact.most}",
        (True, False): f", from {fact.least}",
        (False, True): f", to {fact.most}",
    }.get((fact.least is not None, fact.most is not None), "")
    return f"{fact.type}{limits}{', required' if fact.required else ''}"


def _state(fact: Fact) -> str:
    return f"{fact.state}: {fact.why}" if fact.why and fact.state != "implemented" else fact.state


def _shown(fact: Fact, of_fact: Mapping[str, Sequence[Proof]]) -> str:
    if fact.state != "implemented":
        return ""
    return ", ".join(map(_link, of_fact.get(fact.id, ())[:_MOST_PROOFS]))


def _link(proof: Proof) -> str:
    return f"[{proof.test.removeprefix('test_').replace('_', ' ')}](../../{proof.file})"


def _ledger(found: Sequence[Subject], of_fact: Mapping[str, Sequence[Proof]]) -> str:
    parts = []
    for subject in found:
        rows = [
            (fact.name.replace("-", " "), fact.readings, fact.what, _state(fact), _shown(fact, of_fact))
            for fact in subject.facts
        ]
        heading = f"## {subject.itself.what}"
        parts += [heading, table(("topic", "what the documentation says", "what we do", "state", "proof"), rows)]
    return generated(
        "Ledger of contradictions",
        "Where the vendor's pages contradict each other, or say nothing, we chose. The rule: the requests of every "
        "generation are taken, and answers follow one rule. Each choice has its test. Evidence from a real account "
        "would overrule any of them: please open an issue.",
        "[Conformance](conformance.md) lists all that is documented.",
        *parts,
        source=_SOURCE,
    )
