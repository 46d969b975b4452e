import re

import pytest

from headrace.core import keys
from headrace.errors import NotFound
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
