"""The built-in issuer: tokens for clients of ours, where no identity provider is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headrace.auth import tokens
from headrace.auth.secrets import Secrets
from headrace.core import signing
from headrace.core.clients import Client
from headrace.core.signing import SigningKey
from headrace.db import Database
from headrace.ids import new_id
from headrace.service.issuing import ACCOUNT

LIFE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who gives tokens, for whom, and what its keys are sealed with."""

    database: Database
    secrets: Secrets
    address: str
    audience: str

    def token(self, client: Client, *, now: datetime) -> str:
        """A token for a client that has proven itself. Raises SecretUnreadable."""
        key = self._signing(now)
        said = tokens.claims(
            issuer=self.address,
            audience=self.audience,
            client_id=client.client_id,
            name=client.name,
            roles=client.roles,
        )
        at = int(now.timestamp())
        times = {"iat": at, "nbf": at, "exp": at + LIFE_SECONDS, "jti": new_id()}
        private = self.secrets.open(key.private, owner=signing.owner(key.kid))
        return tokens.sign({**said, **times}, kid=key.kid, private=private)

    def published(self, now: datetime) -> tuple[Mapping[str, Any], ...]:
        """The keys that its tokens are checked with; there is always one."""
        self._signing(now)
        with self.database.reading() as con:
            return signing.published(con, ACCOUNT, now=now)

    def _signing(self, now: datetime) -> SigningKey:
        """What signs now; a new key when there is none, or when the last one has served its time."""
        with self.database.reading() as con:
            found = signing.current(con, ACCOUNT, now=now)
        if found is not None:
            return found
        made = tokens.new_key()
        with self.database.transaction() as con:
            found = signing.current(con, ACCOUNT, now=now)
            if found is None:
                sealed = self.secrets.seal(made.private, owner=signing.owner(made.kid))
                found = SigningKey(made.kid, made.public, sealed, now)
                signing.add(con, ACCOUNT, found)
        return found
