"""Who is let into NexusOne's dialect: by a token of the issuer, or by a key that was made here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from headrace.api.call import Server
from headrace.api.nx1.gate import AUTHORIZATION, PSK, Caller, Refused, unauthorized
from headrace.auth import bearer, roles
from headrace.auth.bearer import BearerRefused, Head, Key, Rules
from headrace.auth.discovery import published_keys, way_to_issuer
from headrace.auth.keyset import IssuerUnreachable, KeySet
from headrace.auth.tokens import OWNER_CLAIM, ROLES_CLAIM
from headrace.core import psks
from headrace.errors import DatabaseFailed, SettingInvalid
from headrace.readings import words
from headrace.service.issuing import ACCOUNT
from headrace.service.tokens import Issuer
from headrace.settings import Settings

_NOTHING = unauthorized("no credentials: send Authorization: Bearer <token>, or Authorization-PSK: <key>")
_BOTH = unauthorized("send a bearer token or a key in Authorization-PSK, not both", error="invalid_request")
_NO_BEARER = unauthorized("the header Authorization is not Bearer <token>", error="invalid_request")
_NO_KEY = unauthorized("the key in Authorization-PSK is unknown or revoked")
_NO_ROLE = Refused(403, f"no role that is known here; there are {', '.join(sorted(roles.ROLES))}")
_UNREACHABLE = Refused(503, "the server's database did not answer", {"retry-after": "1"})


@dataclass(frozen=True, slots=True)
class Admission:
    """What callers are asked for."""

    server: Server
    rules: Rules
    keys: KeySet

    def __call__(self, headers: Mapping[str, str], /) -> Caller | Refused:
        """The caller, or why nobody is let in."""
        judged = self._judged(headers, self.keys.key)
        assert judged is not None  # `key` raises rather than know nothing
        return judged

    def at_once(self, headers: Mapping[str, str], /) -> Caller | Refused | None:
        """The same for a token whose key is known; a token is checked quicker than a thread is handed something."""
        return None if PSK in headers else self._judged(headers, self.keys.at_hand)

    def _judged(self, headers: Mapping[str, str], key_of: Callable[[Head], Key | None]) -> Caller | Refused | None:
        authorization, psk = headers.get(AUTHORIZATION, ""), headers.get(PSK, "")
        if authorization and psk:
            return _BOTH
        if not authorization and not psk:
            return _NOTHING
        try:
            caller = self._by_key(psk) if psk else self._by_token(authorization, key_of)
        except DatabaseFailed:
            return _UNREACHABLE
        return _NO_ROLE if isinstance(caller, Caller) and not _is_known(caller) else caller

    def _by_token(self, authorization: str, key_of: Callable[[Head], Key | None]) -> Caller | Refused | None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return _NO_BEARER
        token = token.strip()
        try:
            key = key_of(bearer.read_head(token))
            if key is None:
                return None
            found = bearer.verify(token, self.rules, key=key, now=self.server.now().timestamp())
        except BearerRefused as error:
            return unauthorized(str(error), error="invalid_token")
        except IssuerUnreachable as error:
            return Refused(503, str(error), {"retry-after": "10"})
        return Caller(ACCOUNT, found.owner_id, roles.known(found.roles), "token", client_id=found.client_id)

    def _by_key(self, key: str) -> Caller | Refused:
        now = self.server.now()
        with self.server.database.reading() as con:
            psk = psks.proven(con, key)
        if psk is None:
            return _NO_KEY
        if psks.needs_note(psk, now):
            with self.server.database.transaction() as con:
                psks.note_use(con, psk, now=now)
        if psk.job_id is not None:
            return Caller(psk.account_id, psk.owner_id, frozenset(), "job key", job_id=psk.job_id)
        return Caller(psk.account_id, psk.owner_id, roles.known(psk.roles), "key", client_id=psk.client_id or "")


def of_issuer(server: Server, settings: Settings) -> Admission:
    """By the tokens of the issuer that the settings name. Raises SettingInvalid."""
    issuer = settings["oidc_issuer"]
    if not settings["oidc_audience"]:
        raise SettingInvalid("oidc_audience has no value", hint="it is what stands in aud of the issuer's tokens")
    outbound = way_to_issuer(settings)
    rules = Rules(
        issuer,
        settings["oidc_audience"],
        owner_claims=words(settings["oidc_owner_claim"]),
        roles_claims=words(settings["oidc_roles_claim"]),
    )
    return Admission(server, rules, KeySet(lambda: published_keys(issuer, outbound), clock=server.clock))


def of_our_own(server: Server, issuer: Issuer) -> Admission:
    """By tokens of the built-in issuer."""
    rules = Rules(issuer.address, issuer.audience, owner_claims=(OWNER_CLAIM,), roles_claims=(ROLES_CLAIM,))
    return Admission(server, rules, KeySet(lambda: issuer.published(server.now()), clock=server.clock))


def _is_known(caller: Caller) -> bool:
    return caller.way == "job key" or bool(caller.roles)
