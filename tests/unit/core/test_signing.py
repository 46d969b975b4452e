from datetime import timedelta

import pytest

from headrace.auth.secrets import Secrets, SecretUnreadable
from headrace.core import signing
from headrace.core.signing import CHECKS, SIGNS, SigningKey
from tests.support.uses import NOON, Uses

OLD, NEW = b"o" * 32, b"n" * 32


def key(kid: str, days: float, secrets: Secrets) -> SigningKey:
    sealed = secrets.seal(f"private {kid}", owner=signing.owner(kid))
    return SigningKey(kid, {"kid": kid}, sealed, NOON + timedelta(days=days))


def test_the_newest_key_signs_and_those_check_that_may_have_signed(uses: Uses) -> None:
    secrets = Secrets.of(OLD)
    with uses.database.transaction() as con:
        assert signing.current(con, "main", now=NOON) is None
        for made in (key("a", 0, secrets), key("b", 1, secrets)):
            signing.add(con, "main", made)
        for days, kid, published in ((0.5, "a", "ab"), (1, "b", "ab"), (90.5, "b", "ab"), (91.5, None, "b")):
            now = NOON + timedelta(days=days)
            found = signing.current(con, "main", now=now)
            assert (found.kid if found else None) == kid
            assert [each["kid"] for each in signing.published(con, "main", now=now)] == list(published)
        assert signing.published(con, "other", now=NOON) == ()
    assert CHECKS > SIGNS


def test_private_halves_are_sealed_again_under_a_new_key(uses: Uses) -> None:
    with uses.database.transaction() as con:
        signing.add(con, "main", key("a", 0, Secrets.of(OLD)))
        assert signing.sealed_again(con, Secrets.of(NEW, OLD)) == 1
        assert signing.sealed_again(con, Secrets.of(NEW, OLD)) == 0
        found = signing.current(con, "main", now=NOON)
        assert found is not None
        assert Secrets.of(NEW).open(found.private, owner=signing.owner("a")) == "private a"
        with pytest.raises(SecretUnreadable):
            Secrets.of(NEW).open(found.private, owner=signing.owner("b"))
