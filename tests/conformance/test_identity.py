"""Clients, keys and what tokens are signed with, on both databases."""

from concurrent.futures import ThreadPoolExecutor

from headrace.auth.secrets import Secrets
from headrace.core import clients, psks
from headrace.core.psks import Holder
from headrace.db import Database
from headrace.errors import BadState
from headrace.service.tokens import Issuer
from tests.support.uses import NOON


def test_a_client_and_its_key_are_made_proven_used_and_revoked(database: Database) -> None:
    with database.transaction() as con:
        made, secret = clients.create(con, account_id="main", name="설명", roles=["nx1_ask"], now=NOON)
        assert clients.proven(con, made.client_id, secret) == made
        psk, key = psks.create(con, Holder("main", "ann", frozenset(made.roles), made.client_id), now=NOON)
        psks.note_use(con, psk, now=NOON)
    with database.reading() as con:
        found = psks.proven(con, key)
    assert found is not None
    assert (found.last_used_at, found.client_id) == (NOON, made.client_id)
    with database.transaction() as con:
        clients.revoke(con, made.client_id, account_id="main", now=NOON)
        assert psks.proven(con, key) is None


def test_of_those_who_make_a_key_for_one_person_at_the_same_time_one_gets_it(database: Database) -> None:
    def create(_: int) -> str:
        try:
            with database.transaction() as con:
                return psks.create(con, Holder("main", "ann", frozenset()), now=NOON)[1]
        except BadState:
            return ""

    with ThreadPoolExecutor(4) as pool:
        made = [key for key in pool.map(create, range(4)) if key]
    assert len(made) == 1
    with database.reading() as con:
        assert psks.proven(con, made[0]) is not None


def test_servers_that_begin_at_the_same_time_check_each_others_tokens(database: Database) -> None:
    secrets = Secrets.of(b"k" * 32)
    issuers = [Issuer(database, secrets, "https://flow.example.org", "headrace") for _ in range(3)]
    with database.transaction() as con:
        client, _ = clients.create(con, account_id="main", name="ci", roles=["nx1_ask"], now=NOON)
    with ThreadPoolExecutor(3) as pool:
        tokens = list(pool.map(lambda issuer: issuer.token(client, now=NOON), issuers))
    assert all(token.count(".") == 2 for token in tokens)
    assert issuers[0].published(NOON) == issuers[2].published(NOON)


def test_texts_that_no_database_keeps_are_nobodys_ids(database: Database) -> None:
    with database.transaction() as con:
        assert clients.proven(con, "a\0b", "\0") is None
        assert psks.proven(con, "\0\ud800") is None
        made, _ = psks.create(con, Holder("main", "ann", frozenset(), "a\0b"), now=NOON)
    assert made.client_id is None
