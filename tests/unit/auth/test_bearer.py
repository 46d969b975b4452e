import hashlib
import hmac
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from headrace.auth.bearer import (
    LEEWAY_SECONDS,
    Bearer,
    BearerRefused,
    Head,
    Key,
    Rules,
    find,
    read_head,
    read_keys,
    verify,
)
from tests.support.bearers import AUDIENCE, ISSUER, NOW, RULES, forged, private, published, said, token
from tests.support.proving import proves


def key(algorithm: str = "RS256") -> Key:
    (found,) = read_keys([published(algorithm)])
    return found


def refusal(sent: str, rules: Rules = RULES, *, now: float = NOW, by: Key | None = None) -> str:
    with pytest.raises(BearerRefused) as told:
        verify(sent, rules, key=by or key(), now=now)
    return told.value.message


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA"])
def test_a_token_that_is_signed_by_its_key_tells_whom_it_is_about(algorithm: str) -> None:
    sent = token(algorithm=algorithm)
    assert read_head(sent) == Head("one", algorithm)
    found = verify(sent, RULES, key=key(algorithm), now=NOW)
    assert found == Bearer("ann@example.org", frozenset({"nx1_ingest", "offline_access"}), "portal")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"iss": "https://sso.example.org/realms/other"}, "another issuer"),
        ({"iss": f"{ISSUER}/"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"aud": "account"}, "not for headrace"),
        ({"aud": None}, "not for headrace"),
        ({"aud": [f"{AUDIENCE}2", 5]}, "not for headrace"),
        ({"exp": None}, "does not say when"),
        ({"exp": "tomorrow"}, "exp is no moment"),
        ({"exp": True}, "exp is no moment"),
        ({"exp": NOW - LEEWAY_SECONDS}, "has expired"),
        ({"nbf": NOW + LEEWAY_SECONDS + 1}, "not valid yet"),
        ({"nbf": "soon"}, "nbf is no moment"),
        ({"typ": "ID"}, "no access token"),
        ({"typ": "Refresh"}, "no access token"),
        ({"email": None, "sub": None}, "does not say who"),
        ({"email": 7, "sub": ""}, "does not say who"),
        ({"email": "a\0b", "sub": "x" * 321}, "does not say who"),
    ],
)
def test_what_a_token_must_say(changes: dict[str, object], told: str) -> None:
    assert told in refusal(token(said(**changes)))


@proves("nexusone-access.tokens")
def test_clocks_may_differ_a_little() -> None:
    sent = token(said(exp=NOW, nbf=NOW))
    for now in (NOW - LEEWAY_SECONDS, NOW + LEEWAY_SECONDS - 0.1):
        assert verify(sent, RULES, key=key(), now=now).client_id == "portal"


def test_one_of_several_audiences_is_enough() -> None:
    found = verify(token(said(aud=["account", AUDIENCE])), RULES, key=key(), now=NOW)
    assert found.client_id == "portal"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS256", "RS257", None, 5])
def test_a_token_that_is_not_signed_by_a_key_of_two_halves_is_refused_before_its_key_is_looked_for(
    algorithm: object,
) -> None:
    with pytest.raises(BearerRefused):
        read_head(forged({"alg": algorithm, "kid": "one"}, said()))


def test_the_public_key_is_no_shared_secret() -> None:
    """The old trick: sign by HMAC with what everybody knows."""
    pem = private().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    unsigned = forged({"alg": "HS256", "kid": "one"}, said()).rpartition(".")[0]
    mac = hmac.new(pem, unsigned.encode(), hashlib.sha256).digest()
    sent = forged({"alg": "HS256", "kid": "one"}, said(), mac)
    assert "not signed by an algorithm" in refusal(sent)


def test_a_token_that_was_changed_is_refused() -> None:
    head, body, signature = token().split(".")
    other = token(said(email="boss@example.org")).split(".")[1]
    last = "A" if signature[9] != "A" else "B"
    for sent in (
        f"{head}.{other}.{signature}",
        f"{head}.{body}.{signature[:9]}{last}{signature[10:]}",
        f"{head}.{body}.",
        token(kid="two"),
    ):
        assert "signature is not right" in refusal(sent)


@pytest.mark.parametrize(
    "sent", ["", "a", "a.b", "a.b.c", "....", "é.é.é", "\ud800", "x" * 20_000, "e30.e30.e30", "[].e30.x"]
)
def test_what_is_no_token_is_refused(sent: str) -> None:
    with pytest.raises(BearerRefused):
        read_head(sent)


def test_what_a_token_says_must_be_an_object_and_no_deep_nest() -> None:
    by = jwt.PyJWS()
    for payload in (b"[]", b"5", b"nothing", b"[" * 5000, b"\xff"):
        sent = by.encode(payload, private(), algorithm="RS256", headers={"kid": "one"})
        with pytest.raises(BearerRefused):
            verify(sent, RULES, key=key(), now=NOW)


def test_an_extension_that_must_be_understood_is_refused() -> None:
    sent = jwt.encode(said(), private(), algorithm="RS256", headers={"kid": "one", "crit": ["exp"], "exp": 1})
    with pytest.raises(BearerRefused):
        verify(sent, RULES, key=key(), now=NOW)


def test_a_key_checks_in_its_own_ways_only() -> None:
    (narrow,) = read_keys([published("RS256")])
    assert "another way" in refusal(token(algorithm="PS256"), by=narrow)
    (wide,) = read_keys([{k: v for k, v in published("RS256").items() if k != "alg"}])
    assert {"RS256", "PS256"} < wide.algorithms


def test_keys_that_check_no_signature_are_passed_over() -> None:
    weak = rsa.generate_private_key(65537, 1024).public_key()

    small = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(weak)), "kid": "weak"}
    assert (
        read_keys(
            [
                published(use="enc"),
                published(alg="RSA-OAEP"),
                published(alg="HS256"),
                {"kty": "oct", "k": "c2VjcmV0", "kid": "one", "alg": "HS256"},
                {"kty": "EC", "crv": "P-256", "x": "?", "y": "?"},
                {"kty": "EC", "crv": "secp256k1"},
                {"kty": "RSA"},
                small,
                {},
                "key",
                None,
            ]
        )
        == ()
    )


def test_a_token_without_a_key_name_means_the_only_key_of_its_kind() -> None:
    keys = read_keys([published("RS256"), published("ES256", "two")])
    found = find(keys, Head("", "ES256"))
    assert found is not None
    assert found.kid == "two"
    assert find(read_keys([published("RS256"), published("RS256", "two")]), Head("", "RS256")) is None
    assert find(keys, Head("three", "RS256")) is None


@proves("nexusone-access.roles-of-a-token", "nexusone-access.owner")
def test_where_claims_stand_is_a_matter_of_settings() -> None:
    rules = Rules(ISSUER, AUDIENCE, ("upn",), ("https://example.org/roles", "groups", "resource_access.headrace.roles"))
    claims = said(
        upn="ann",
        groups="nx1_ask",
        resource_access={"headrace": {"roles": ["nx1_engineer", 5]}},
        **{"https://example.org/roles": ["nx1_monitor"]},
    )
    found = verify(token(claims), rules, key=key(), now=NOW)
    assert found == Bearer("ann", frozenset({"nx1_ask", "nx1_engineer", "nx1_monitor"}), "portal")


@proves("nexusone-access.owner")
def test_an_address_that_is_not_proven_names_nobody() -> None:
    claims = said(email="boss@example.org", preferred_username="boss@example.org", email_verified=False)
    assert verify(token(claims), RULES, key=key(), now=NOW).owner_id == "4711"
