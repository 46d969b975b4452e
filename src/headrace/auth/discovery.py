"""The keys that an OpenID Connect issuer publishes, found as its discovery document tells."""

import json
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from headrace.auth.keyset import Published
from headrace.outbound import Outbound, OutboundFailed, hosts_of
from headrace.readings import words
from headrace.settings import Settings

PATH = "/.well-known/openid-configuration"


def way_to_issuer(settings: Settings) -> Outbound:
    """How the issuer of the settings is asked."""
    issuer = settings["oidc_issuer"]
    return Outbound(hosts_of(issuer, more=words(settings["outbound_hosts"])), settings["oidc_ca_file"])


def told_at(issuer: str, outbound: Outbound) -> datetime | None:
    """What time it is by the issuer's clock, if it tells. Raises OutboundRefused, OutboundFailed."""
    try:
        found = parsedate_to_datetime(outbound.ask(issuer.rstrip("/") + PATH).date)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def published_keys(issuer: str, outbound: Outbound) -> Published:
    """What the issuer signs with now. Raises OutboundRefused, OutboundFailed."""
    document = _read(issuer.rstrip("/") + PATH, outbound)
    if document.get("issuer") != issuer:
        hint = "the setting oidc_issuer is what its discovery document has as issuer, sign by sign"
        raise OutboundFailed(f"{issuer} says that it is {document.get('issuer')!r}", hint=hint)
    address = document.get("jwks_uri")
    if not isinstance(address, str):
        raise OutboundFailed(f"{issuer} does not say where its keys are")
    keys = _read(address, outbound).get("keys")
    if not isinstance(keys, list):
        raise OutboundFailed(f"{issuer} publishes no keys")
    return [each for each in keys if isinstance(each, dict)]


def _read(url: str, outbound: Outbound) -> dict[str, Any]:
    try:
        found = json.loads(outbound.get(url))
    except (ValueError, RecursionError):
        raise OutboundFailed(f"{url} is no JSON") from None
    if not isinstance(found, dict):
        raise OutboundFailed(f"{url} is no object of JSON")
    return found
