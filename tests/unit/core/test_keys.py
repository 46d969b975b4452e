import re

import pytest

from headrace.auth.policy import Policy
from headrace.auth.secrets import Secrets, SecretUnreadable
from headrace.core import keys
from headrace.errors import NotFound
from headrace.stores.grants import EVERYTHING, NOTHING, Grants
from tests.support.uses import NOON, Uses


def test_a_key_is_kept_found_and_revoked(uses: Uses) -> None:
    name = keys.new_access_key()
    with uses.database.transaction() as con:
        made = keys.create(con, name, account_id="main", name="ci", role="viewer", secret="sealed", now=NOON)
        assert keys.find(con, name) == made
        assert (made.principal.name, made.principal.role, made.revoked_at) == ("ci", "viewer", None)
        assert keys.find(con, "NONE") is None
        assert (keys.list(con, "main"), keys.list(con, "other")) == ((made,), ())
        keys.revoke(con, name, account_id="main", now=NOON)
        found = keys.find(con, name)
    assert found is not None
    assert found.revoked_at == NOON


def test_a_key_of_another_account_is_not_there_to_revoke(uses: Uses) -> None:
    with uses.database.transaction() as con:
        keys.create(con, "K", account_id="other", name="ci", role="manager", secret="sealed", now=NOON)
        with pytest.raises(NotFound):
            keys.revoke(con, "K", account_id="main", now=NOON)


def test_new_keys_have_the_form_of_the_vendors_and_differ() -> None:
    assert re.fullmatch(r"[A-Z0-9]{20}", keys.new_access_key())
    assert re.fullmatch(r"[A-Za-z0-9]{40}", keys.new_secret())
    assert len({keys.new_secret() for _ in range(100)}) == 100


def test_the_rights_of_a_key_are_kept_with_it(uses: Uses) -> None:
    policy = Policy.of({"allow": ["View/*"], "deny": ["View/getAuditList"]})
    grants = Grants(("lake",), (), ("nrn:*",))
    of = {"account_id": "main", "name": "ci", "role": "manager", "secret": "sealed", "now": NOON}
    with uses.database.transaction() as con:
        made = keys.create(con, "K", **of, policy=policy, grants=grants)  # type: ignore[arg-type] # one of each
        found = keys.get(con, "K", account_id="main")
        with pytest.raises(NotFound):
            keys.get(con, "K", account_id="other")
    assert (found, found.principal.policy, found.principal.data) == (made, policy, grants)


def test_without_grants_of_their_own_managers_may_touch_all_data_and_viewers_none(uses: Uses) -> None:
    with uses.database.transaction() as con:
        manager = keys.create(con, "M", account_id="main", name="m", role="manager", secret="s", now=NOON)
        viewer = keys.create(con, "V", account_id="main", name="v", role="viewer", secret="s", now=NOON)
    assert (manager.principal.data, viewer.principal.data) == (EVERYTHING, NOTHING)


def test_a_rotation_seals_what_is_not_under_the_newest_key(uses: Uses) -> None:
    old, new = Secrets.of(b"o" * 32), Secrets.of(b"n" * 32, b"o" * 32)
    with uses.database.transaction() as con:
        for name, secrets in (("A", old), ("B", new), ("C", old)):
            sealed = secrets.seal(f"secret {name}", owner=name)
            keys.create(con, name, account_id="main", name=name, role="manager", secret=sealed, now=NOON)
        assert (keys.sealed_again(con, new), keys.sealed_again(con, new)) == (2, 0)
        only = Secrets.of(b"n" * 32)
        kept = [only.open(key.secret, owner=key.access_key) for key in keys.list(con, "main")]
        assert sorted(kept) == ["secret A", "secret B", "secret C"]
        with pytest.raises(SecretUnreadable):
            keys.sealed_again(con, Secrets.of(b"x" * 32))
