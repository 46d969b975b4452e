import pytest

from headrace.plan.ops import in_order
from headrace.stores.grants import EVERYTHING, NOTHING, Grants, fault, ungranted
from tests.support.jobs import plan, source, target


@pytest.mark.parametrize(
    ("grant", "place", "allowed"),
    [
        ("*", "any/thing", True),
        ("lake", "lake/raw/2025", True),
        ("lake", "lakes/raw", False),
        ("lake/raw", "lake/raw", True),
        ("lake/raw/", "lake/raw/2025/", True),
        ("lake/raw", "lake/raw2", False),
        ("lake/raw", "lake/", False),
        ("lake/raw/2025", "lake/raw", False),
        ("team-*", "team-a/raw", True),
        ("team-*/raw", "team-a/other", False),
        ("*/raw", "any/raw/x", True),
    ],
)
def test_a_grant_covers_a_prefix_and_all_below_it_and_nothing_beside_it(grant: str, place: str, allowed: bool) -> None:
    bucket, _, prefix = place.partition("/")
    assert Grants(read=(grant,)).allow("read", bucket, prefix) is allowed
    assert not Grants(read=(grant,)).allow("write", bucket, prefix)
    assert Grants(write=(grant,)).allow("write", bucket, prefix) is allowed


def test_every_place_that_is_not_granted_is_told_with_its_node() -> None:
    ops = list(in_order(plan(source(), target()).pruned))
    assert ungranted(ops, EVERYTHING) == ()
    assert [(p.node_id, p.code, p.field) for p in ungranted(ops, NOTHING)] == [
        (1, "not-granted", "prefix"),
        (9, "not-granted", "prefix"),
    ]
    assert [p.node_id for p in ungranted(ops, Grants(read=("lake/in",), write=("lake/in",)))] == [9]


def test_using_an_nrn_is_a_right_of_its_own() -> None:
    assert EVERYTHING.allow_nrn("nrn:a")
    assert NOTHING.allow_nrn("")
    assert not NOTHING.allow_nrn("nrn:a")
    assert Grants(nrn=("nrn:PUB:*",)).allow_nrn("nrn:PUB:IAM::1:Role/x")


def test_grants_are_kept_as_they_are() -> None:
    grants = Grants(("lake/raw",), ("lake/out",), ("nrn:*",))
    assert Grants.of(grants.as_json()) == grants
    assert Grants.of({}) == NOTHING


@pytest.mark.parametrize("grant", ["", "/raw", "lake/../x", "lake//x", "lake/a*", "la\nke"])
def test_what_can_not_be_a_grant_is_told(grant: str) -> None:
    assert fault(grant)


@pytest.mark.parametrize("grant", ["*", "lake", "lake/", "lake/raw/", "team-*/raw"])
def test_what_can_be_a_grant_is_none_to_complain_of(grant: str) -> None:
    assert not fault(grant)
