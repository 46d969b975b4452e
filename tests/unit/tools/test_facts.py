"""Facts and their proofs: what is read, what is refused, what counts as proven."""

from pathlib import Path

import pytest

from tools.reference.facts import every_fact, problems, proofs, proved, subjects

TOML = """
[Thing]
what = "A thing."
seen = "2025"

[Thing.fields]
name = { what = "Its name.", type = "string", least = 3 }
old = { what = "Gone.", state = "excluded", why = "nobody wants it" }

[Thing.fields.kind]
what = "Its kind."

[Thing.fields.kind.values]
GOOD = "Good."
BAD = { what = "Bad.", state = "planned" }
"""
TEST = """
TABLE = [("x", proves("Thing.kind=GOOD"))]

@proves(*("Thing.name",))
@proves("Thing.k*")
@parametrize("row", TABLE)
def test_all_of_it(row):
    pass

def test_without():
    proves("Thing.nothing")
"""


def written(folder: Path, facts: str = TOML, test: str = TEST) -> tuple[Path, Path]:
    (folder / "facts").mkdir()
    (folder / "facts" / "things.toml").write_text(facts)
    (folder / "tests").mkdir()
    (folder / "tests" / "test_things.py").write_text(test)
    return folder / "facts", folder / "tests"


def test_facts_are_named_by_their_place_and_take_after_their_subject(tmp_path: Path) -> None:
    found = every_fact(subjects(written(tmp_path)[0]))
    assert list(found) == ["Thing.name", "Thing.old", "Thing.kind", "Thing.kind=GOOD", "Thing.kind=BAD"]
    assert (found["Thing.name"].least, found["Thing.name"].seen, found["Thing.name"].state) == (
        3,
        "2025",
        "implemented",
    )
    assert (found["Thing.old"].state, found["Thing.kind=BAD"].state) == ("excluded", "planned")


def test_proofs_are_what_stands_in_a_decorator_and_in_the_tables_that_it_uses(tmp_path: Path) -> None:
    (proof,) = proofs(written(tmp_path)[1])
    assert (proof.file, proof.test) == ("tests/test_things.py", "test_all_of_it")
    assert sorted(proof.names) == ["Thing.k*", "Thing.kind=GOOD", "Thing.name"]


def test_a_star_stands_for_fields_and_not_for_their_values(tmp_path: Path) -> None:
    facts, tests = written(tmp_path, test='@proves("Thing.*")\ndef test_it(): ...\n')
    assert list(proved(every_fact(subjects(facts)), proofs(tests))) == ["Thing.name", "Thing.old", "Thing.kind"]


def test_a_fact_without_a_proof_and_a_proof_of_what_is_not_built_are_told(tmp_path: Path) -> None:
    facts, tests = written(tmp_path, test='@proves("Thing.name", "Thing.kind=BAD")\ndef test_it(): ...\n')
    assert problems(subjects(facts), proofs(tests)) == [
        "Thing.kind: implemented, without a test that proves it",
        "Thing.kind=GOOD: implemented, without a test that proves it",
        "Thing.kind=BAD: planned, and test_it proves it",
    ]


def test_a_proof_of_an_unknown_fact_is_told(tmp_path: Path) -> None:
    facts, tests = written(tmp_path, test='@proves("Thing.nam")\ndef test_it(): ...\n')
    with pytest.raises(ValueError, match=r"test_it proves 'Thing\.nam', which is no fact"):
        problems(subjects(facts), proofs(tests))


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ('[A]\nwhat = "x"\n[A.fields]\nb = { type = "string" }', "A.b: has no `what`"),
        ('[A]\nwhat = "x"\n[A.fields]\nb = { what = "x", nonsense = 1 }', "A.b: 'nonsense' means nothing here"),
        ('[A]\nwhat = "x"\n[A.fields]\nb = { what = "x", state = "excluded" }', "what is excluded says why"),
        ('[A]\nwhat = "x"\n[A.fields]\nb = { what = "x", state = "done" }', "a state is one of"),
        (
            '[A]\nwhat = "x"\n[A.fields]\nb = "x"\n[A.other]\n[A.fields."other.c"]\nwhat="x"\n[A.other.c]\nwhat="x"',
            "two facts",
        ),
    ],
)
def test_a_fact_that_says_too_little_or_something_strange_is_refused(tmp_path: Path, facts: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        every_fact(subjects(written(tmp_path, facts)[0]))
