"""Bearer tokens: signed JWTs of one issuer, for one audience. Told the keys and the time.

Only signatures by which nobody who can check can also sign are taken: none of HMAC, and never `none`. A key is used
with the algorithms of its own kind, whatever the token says.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from headrace.errors import HeadraceError

LEEWAY_SECONDS = 30.0
_MOST_SIGNS = 16_384
_MOST_OF_A_NAME = 320  # as an e-mail address
_RSA_BITS = 2048
_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_BY_CURVE = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
ALGORITHMS = _RSA | frozenset(_BY_CURVE.values())
_JWS = jwt.PyJWS(sorted(ALGORITHMS))


class BearerRefused(HeadraceError):
    """A token does not prove what it says."""

    code = "bearer-refused"


@dataclass(frozen=True, slots=True)
class Key:
    """A published key, and what it may check."""

    kid: str
    algorithms: frozenset[str]
    public: Any  # of the library of ciphers; the library of tokens knows what it is


@dataclass(frozen=True, slots=True)
class Head:
    """What a token says of its signature. Nothing of it is proven."""

    kid: str
    algorithm: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What a token must say, and where it says who is meant: claims by their names, or by paths with dots."""

    issuer: str
    audience: str
    owner_claims: tuple[str, ...]
    roles_claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a token is about; all of it is proven."""

    owner_id: str
    roles: frozenset[str]
    client_id: str


def read_keys(published: Iterable[object]) -> tuple[Key, ...]:
    """The keys of a JWK set that signatures can be checked with; all others are passed over."""
    return tuple(key for each in published if isinstance(each, Mapping) and (key := _key(each)) is not None)


def find(keys: Iterable[Key], head: Head) -> Key | None:
    """The key that a token names; a token that names none means the only one of its kind."""
    fit = [key for key in keys if head.algorithm in key.algorithms]
    if head.kid:
        fit = [key for key in fit if key.kid == head.kid]
    return fit[0] if len(fit) == 1 else None


def read_head(token: str) -> Head:
    """Which key a token wants to be checked with. Raises BearerRefused."""
    if len(token) > _MOST_SIGNS:
        raise BearerRefused(f"the token has more than {_MOST_SIGNS} signs")
    try:
        header = _JWS.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise BearerRefused("the token is no signed JWT") from None
    algorithm, kid = header.get("alg"), header.get("kid", "")
    if algorithm not in ALGORITHMS:
        raise BearerRefused("the token is not signed by an algorithm that is taken here")
    return Head(kid if isinstance(kid, str) else "", algorithm)


def verify(token: str, rules: Rules, *, key: Key, now: float) -> Bearer:
    """Whom the token is about, when this key signed it and all of the rules hold. Raises BearerRefused."""
    head = read_head(token)
    if head.algorithm not in key.algorithms:
        raise BearerRefused("the token is signed in another way than its key allows")
    try:
        payload = _JWS.decode_complete(token, key=key.public, algorithms=[head.algorithm])["payload"]
        claims = json.loads(payload)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise BearerRefused("the token's signature is not right") from None
    if not isinstance(claims, dict):
        raise BearerRefused("the token says nothing")
    _check(claims, rules, now)
    roles = frozenset(role for path in rules.roles_claims for role in _texts(_at(claims, path)))
    client = claims.get("azp", claims.get("client_id"))
    return Bearer(_owner(claims, rules), roles, client if isinstance(client, str) else "")


def _check(claims: Mapping[str, Any], rules: Rules, now: float) -> None:
    if claims.get("iss") != rules.issuer:
        raise BearerRefused("the token is of another issuer")
    if rules.audience not in _texts(claims.get("aud")):
        raise BearerRefused(f"the token is not for {rules.audience}", hint="its claim aud says whom it is for")
    if claims.get("typ", "Bearer") != "Bearer":
        raise BearerRefused("the token is no access token")  # Keycloak says so of those that are for the client alone
    ends = _moment(claims, "exp")
    if ends is None:
        raise BearerRefused("the token does not say when it expires")
    if now >= ends + LEEWAY_SECONDS:
        raise BearerRefused("the token has expired")
    begins = _moment(claims, "nbf")
    if begins is not None and now < begins - LEEWAY_SECONDS:
        raise BearerRefused("the token is not valid yet")


def _owner(claims: Mapping[str, Any], rules: Rules) -> str:
    """Who it is. An address that the issuer knows to be unproven is nobody's name, wherever it stands."""
    unproven = claims.get("email") if claims.get("email_verified") is False else None
    for path in rules.owner_claims:
        found = _at(claims, path)
        if isinstance(found, str) and found != unproven and 0 < len(found) <= _MOST_OF_A_NAME and found.isprintable():
            return found
    raise BearerRefused(f"the token does not say who it is for: it has none of {', '.join(rules.owner_claims)}")


def _at(claims: Mapping[str, Any], path: str) -> object:
    """What stands under a name, or else at a path of names."""
    if path in claims:
        return claims[path]
    found: object = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _texts(value: object) -> tuple[str, ...]:
    """A text, or those of a list."""
    listed = value if isinstance(value, list) else [value]
    return tuple(each for each in listed if isinstance(each, str))


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BearerRefused(f"the token's {name} is no moment")
    return value


def _key(published: Mapping[str, Any]) -> Key | None:
    kid, kind = published.get("kid", ""), published.get("kty")
    algorithms = _RSA if kind == "RSA" else frozenset({_BY_CURVE.get(str(published.get("crv")), "")})
    if "alg" in published:
        algorithms &= {published["alg"]}
    algorithms &= ALGORITHMS
    if kind not in ("RSA", "EC", "OKP") or published.get("use", "sig") != "sig" or not algorithms:
        return None
    public = {name: value for name, value in published.items() if name != "d"}
    try:
        key = jwt.PyJWK(public, algorithm=min(algorithms)).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if isinstance(key, RSAPublicKey) and key.key_size < _RSA_BITS:
        return None
    return Key(kid if isinstance(kid, str) else "", algorithms, key)
