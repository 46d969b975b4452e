"""Tokens of our own: what they are signed with, and how. They look like Keycloak's, so that one check is enough."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

ALGORITHM = "RS256"
ROLES_CLAIM, OWNER_CLAIM = "realm_access.roles", "preferred_username"
_BITS, _EXPONENT = 2048, 65537


@dataclass(frozen=True, slots=True)
class Made:
    """A fresh key: its name, its public half as it is published, its private half as PEM."""

    kid: str
    public: Mapping[str, Any]
    private: str = field(repr=False)


def new_key() -> Made:
    """A key that signs. It takes a tenth of a second."""
    private = rsa.generate_private_key(_EXPONENT, _BITS)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key()))
    kid = _thumbprint(public)
    return Made(kid, {"kty": public["kty"], "n": public["n"], "e": public["e"], **_uses(kid)}, pem)


def claims(*, issuer: str, audience: str, client_id: str, name: str, roles: tuple[str, ...]) -> dict[str, Any]:
    """What a token says of a client, without its times."""
    whom = {"sub": client_id, "azp": client_id, "client_id": client_id, OWNER_CLAIM: name}
    return {"iss": issuer, "aud": audience, "typ": "Bearer", **whom, "realm_access": {"roles": list(roles)}}


def sign(said: Mapping[str, Any], *, kid: str, private: str) -> str:
    """The token that says this."""
    return jwt.encode(dict(said), private, algorithm=ALGORITHM, headers={"kid": kid})


def _uses(kid: str) -> dict[str, str]:
    return {"kid": kid, "alg": ALGORITHM, "use": "sig"}


def _thumbprint(public: Mapping[str, Any]) -> str:
    """The name that the key itself gives (RFC 7638)."""
    plain = json.dumps({name: public[name] for name in ("e", "kty", "n")}, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(plain.encode("ascii")).digest()).rstrip(b"=").decode("ascii")
