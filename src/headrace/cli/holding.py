"""What is done to access keys and read of the audit log on the server's own machine; a server may run meanwhile."""

import getpass
import re
from collections.abc import Sequence
from typing import Literal

from headrace.auth import policy
from headrace.auth.policy import Policy, Rule
from headrace.auth.principal import Principal, Role
from headrace.auth.roles import ROLES as CLIENT_ROLES
from headrace.cli.serving import ready
from headrace.clock import SystemClock
from headrace.core import audit, clients, data_grants, executions, keys, signing
from headrace.core.audit import AuditFilter, Deed, Entry, Origin
from headrace.core.clients import Client
from headrace.core.data_grants import Grant
from headrace.core.keys import AccessKey
from headrace.core.paging import Page
from headrace.errors import BadState, SettingInvalid
from headrace.nodes.base import nearest
from headrace.service import serve as service
from headrace.service.issuing import ACCOUNT, Issued, issue
from headrace.settings import Settings
from headrace.stores import grants
from headrace.stores.grants import Grants, Use

ROLES: tuple[Role, ...] = ("manager", "viewer")
State = Literal["active", "revoked"]
_CLIENT_NAME = re.compile(r"[!-~]{1,200}")
_MOST_SIGNS = 200
_HERE = Origin("command line")


def create(settings: Settings, name: str, role: Role, *, policy: Policy | None, grants: Grants | None) -> Issued:
    """A new key."""
    secrets = service.opened_secrets(settings)
    with ready(settings) as database, database.transaction() as con:
        now = SystemClock().now()
        return issue(con, secrets, name=name, role=role, now=now, policy=policy, grants=grants, by=(_who(), _HERE))


def list_all(settings: Settings) -> tuple[AccessKey, ...]:
    """All keys, without their secrets."""
    with ready(settings) as database, database.reading() as con:
        return keys.list(con, ACCOUNT)


def show(settings: Settings, access_key: str) -> AccessKey:
    """One key. Raises NotFound."""
    with ready(settings) as database, database.reading() as con:
        return keys.get(con, access_key, account_id=ACCOUNT)


def revoke(settings: Settings, access_key: str, *, cancel: bool) -> tuple[int, int]:
    """Let a key open nothing from now on; gives how many of its runs wait or run, and how many were cancelled."""
    with ready(settings) as database, database.transaction() as con:
        now, who = SystemClock().now(), _who()
        keys.revoke(con, access_key, account_id=ACCOUNT, now=now)
        active = executions.asked_by(con, who, access_key)
        stopped = 0
        for job_id, execution_id in active if cancel else ():
            try:
                executions.cancel(con, who, job_id, execution_id, now=now)
            except BadState:
                continue  # it has just ended
            stopped += 1
        detail = {"canceledExecutions": stopped} if stopped else {}
        audit.write(con, who, Deed("Change/revokeKey", f"keys/{access_key}", "done", detail), origin=_HERE, now=now)
    return len(active), stopped


def create_client(settings: Settings, name: str, roles: Sequence[str]) -> tuple[Client, str]:
    """A new client of the built-in issuer, with its secret. Raises SettingInvalid for a role that does not exist."""
    if not roles or (wrong := [role for role in roles if role not in CLIENT_ROLES]):
        told = f"there is no role {wrong[0]!r}" if roles else "a client has at least one role"
        raise SettingInvalid(told, hint=f"there are {', '.join(sorted(CLIENT_ROLES))}")
    if not _CLIENT_NAME.fullmatch(name):
        raise SettingInvalid(f"{name!r} can't be the name of a client", hint="1 to 200 signs of ASCII, no spaces")
    with ready(settings) as database, database.transaction() as con:
        now = SystemClock().now()
        made, secret = clients.create(con, account_id=ACCOUNT, name=name, roles=roles, now=now)
        detail = {"name": name, "roles": [*made.roles]}
        deed = Deed("Change/createClient", f"clients/{made.client_id}", "done", detail)
        audit.write(con, _who(), deed, origin=_HERE, now=now)
    return made, secret


def list_clients(settings: Settings) -> tuple[Client, ...]:
    """All clients, without their secrets."""
    with ready(settings) as database, database.reading() as con:
        return clients.list(con, ACCOUNT)


def revoke_client(settings: Settings, client_id: str) -> None:
    """Give a client no token from now on, and end the keys that were made with its tokens. Raises NotFound."""
    with ready(settings) as database, database.transaction() as con:
        now = SystemClock().now()
        clients.revoke(con, client_id, account_id=ACCOUNT, now=now)
        audit.write(con, _who(), Deed("Change/revokeClient", f"clients/{client_id}"), origin=_HERE, now=now)


def give(settings: Settings, who: str, *, read: Sequence[str], write: Sequence[str]) -> tuple[Grant, ...]:
    """Give owners data that their jobs of NexusOne's dialect may use. Raises SettingInvalid for what means nothing."""
    if not who or len(who) > _MOST_SIGNS or not who.isprintable():
        raise SettingInvalid(
            f"{who!r} can't be a pattern of owners", hint="an owner like ann@example.org, or *@example.org"
        )
    wanted: tuple[tuple[Use, str], ...] = (*(("read", what) for what in read), *(("write", what) for what in write))
    if not wanted:
        raise SettingInvalid("nothing is given", hint="--read sales.orders, --write sales.*")
    with ready(settings) as database, database.transaction() as con:
        now, made = SystemClock().now(), []
        for use, what in wanted:
            try:
                given = data_grants.give(
                    con, ACCOUNT, who, use=use, what=what, warehouse=settings["warehouse"], now=now
                )
            except ValueError as error:
                raise SettingInvalid(f"{what[:100]!r}: {error}") from None
            made.append(given)
            detail = {"who": who, "use": use, "what": what}
            deed = Deed("Change/giveData", f"grants/{given.grant_id}", "done", detail)
            audit.write(con, _who(), deed, origin=_HERE, now=now)
    return tuple(made)


def list_grants(settings: Settings) -> tuple[Grant, ...]:
    """Who may use which data by jobs of NexusOne's dialect."""
    with ready(settings) as database, database.reading() as con:
        return data_grants.list(con, ACCOUNT)


def take(settings: Settings, grant_id: str) -> None:
    """Take a grant back. Raises NotFound."""
    with ready(settings) as database, database.transaction() as con:
        taken = data_grants.take(con, ACCOUNT, grant_id)
        detail = {"who": taken.who, "use": taken.use, "what": taken.what}
        deed = Deed("Change/takeData", f"grants/{grant_id}", "done", detail)
        audit.write(con, _who(), deed, origin=_HERE, now=SystemClock().now())


def rotate(settings: Settings) -> int:
    """Seal every secret under the newest key; gives how many were sealed under an older one."""
    secrets = service.opened_secrets(settings)
    with ready(settings) as database, database.transaction() as con:
        count = keys.sealed_again(con, secrets) + signing.sealed_again(con, secrets)
        deed = Deed("Change/rotateSecretKey", "keys", "done", {"sealedAgain": count})
        audit.write(con, _who(), deed, origin=_HERE, now=SystemClock().now())
    return count


def entries(settings: Settings, wanted: AuditFilter, limit: int) -> tuple[tuple[Entry, ...], int]:
    """The newest rows of the audit log, and how many match in all."""
    with ready(settings) as database, database.reading() as con:
        return audit.list(con, ACCOUNT, filter=wanted, page=Page(0, limit))


def rules(allow: Sequence[str], deny: Sequence[str]) -> Policy | None:
    """The policy of rules as they were written. Raises SettingInvalid for one that is about nothing."""
    if wrong := policy.unknown([*allow, *deny]):
        hint = nearest(Rule.of(wrong[0]).action, sorted(policy.ACTIONS))
        raise SettingInvalid(f"{wrong[0]!r} is about no action that there is", hint=hint)
    return Policy.of({"allow": allow or None, "deny": deny}) if allow or deny else None


def data(read: Sequence[str], write: Sequence[str], nrn: Sequence[str]) -> Grants | None:
    """The grants as they were written; None when there are none. Raises SettingInvalid for one that can't be."""
    for text in (*read, *write):
        if told := grants.fault(text):
            raise SettingInvalid(f"{text!r} {told}")
    return Grants(tuple(read), tuple(write), tuple(nrn)) if read or write or nrn else None


def state(key: AccessKey | Client) -> State:
    """Whether a key, or a client's secret, opens anything."""
    return "active" if key.revoked_at is None else "revoked"


def _who() -> Principal:
    """Whoever may read the data folder may do all; the audit log has the name of the user."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return Principal(ACCOUNT, user, "", "manager")
