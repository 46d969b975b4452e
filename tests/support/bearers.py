"""Keys and tokens of a made-up issuer, right and wrong."""

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from headrace.auth.bearer import Rules

ISSUER, AUDIENCE = "https://sso.example.org/realms/main", "headrace"
NOW = 1_800_000_000
RULES = Rules(ISSUER, AUDIENCE, ("email", "preferred_username", "sub"), ("realm_access.roles",))

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@cache
def private(algorithm: str = "RS256", kid: str = "one") -> Private:
    """The key by that name."""
    del kid
    if algorithm[:2] in ("RS", "PS"):
        return rsa.generate_private_key(65537, 2048)
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    curves = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
    return ec.generate_private_key(curves[algorithm])


def published(algorithm: str = "RS256", kid: str = "one", **more: object) -> dict[str, Any]:
    """Its public half, as an issuer publishes it."""
    by = jwt.get_algorithm_by_name(algorithm)
    told = by.to_jwk(private(algorithm, kid).public_key())
    return {**json.loads(told), "kid": kid, "alg": algorithm, "use": "sig", **more}


def said(**changes: object) -> dict[str, Any]:
    """What a token says, with some of it changed; None takes it away."""
    claims: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "exp": NOW + 300,
        "iat": NOW,
        "sub": "4711",
        "typ": "Bearer",
        "azp": "portal",
        "email": "ann@example.org",
        "realm_access": {"roles": ["nx1_ingest", "offline_access"]},
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def token(claims: Mapping[str, Any] | None = None, algorithm: str = "RS256", kid: str | None = "one") -> str:
    """A token, rightly signed by the key of that name."""
    headers = {} if kid is None else {"kid": kid}
    key = private(algorithm, kid or "one")
    return jwt.encode(dict(said() if claims is None else claims), key, algorithm=algorithm, headers=headers)


def forged(header: Mapping[str, object], claims: Mapping[str, object], signature: bytes = b"") -> str:
    """A token put together by hand."""
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
