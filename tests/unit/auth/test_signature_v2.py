"""Signature v2: the worked examples, and everything that must not pass."""

import pytest

from headrace.auth.signature_v2 import ACCESS_KEY, SIGNATURE, TIMESTAMP, WINDOW_MS, sign, verify

SECRET = "exampleSecretKey0001"
KEY = "EXAMPLEACCESSKEY0001"
AT = 1758099600000
TARGET = "/api/v1/jobs?page=0&limit=10"


def headers(**changes: str) -> dict[str, str]:
    signature = sign("GET", TARGET, timestamp=str(AT), access_key=KEY, secret=SECRET)
    return {TIMESTAMP: str(AT), ACCESS_KEY: KEY, SIGNATURE: signature} | changes


@pytest.mark.parametrize(
    ("method", "target", "signature"),
    [
        ("GET", TARGET, "WlsoQm0jNR6rAD7fNX9OrGkRMJ5kjJRfVRoH1OXWDxg="),
        ("POST", "/api/v1/workflows/3tfNLPabcdef/executions", "Tsv+IW94EHip5jxnxwDHyUvRNUp6+OIw2SBMrFfWv8I="),
        (
            "GET",
            "/api/v1/stats/executions?startDate=2025-03-19T00%3A00%3A00&endDate=2025-03-20T23%3A59%3A59",
            "//WM/Ad0C9/knP5G6V5xuUPC63MYJimH8JGj6WGib+4=",
        ),
    ],
)
def test_the_worked_examples_come_out_as_they_are_known(method: str, target: str, signature: str) -> None:
    assert sign(method, target, timestamp=str(AT), access_key=KEY, secret=SECRET) == signature


@pytest.mark.parametrize("drift", [0, WINDOW_MS, -WINDOW_MS])
def test_a_signed_request_passes_up_to_five_minutes_from_our_clock(drift: int) -> None:
    assert verify(headers(), "GET", target=TARGET, secret=SECRET, now_ms=AT + drift) is None


@pytest.mark.parametrize("drift", [WINDOW_MS + 1, -WINDOW_MS - 1, 10**14])
def test_a_millisecond_more_is_stale(drift: int) -> None:
    assert verify(headers(), "GET", target=TARGET, secret=SECRET, now_ms=AT + drift) == "stale"


@pytest.mark.parametrize("name", [TIMESTAMP, ACCESS_KEY, SIGNATURE])
@pytest.mark.parametrize("gone", [True, False])
def test_a_header_that_is_absent_or_empty_is_missing(name: str, gone: bool) -> None:
    sent = headers(**{name: ""})
    if gone:
        del sent[name]
    assert verify(sent, "GET", target=TARGET, secret=SECRET, now_ms=AT) == "missing"


@pytest.mark.parametrize(
    ("method", "target", "secret", "changes"),
    [
        ("POST", TARGET, SECRET, {}),
        ("GET", "/api/v1/jobs?page=0&limit=11", SECRET, {}),
        ("GET", "/api/v1/jobs?page=0%26limit=10", SECRET, {}),
        ("GET", TARGET, "another", {}),
        ("GET", TARGET, SECRET, {TIMESTAMP: str(AT + 1)}),
        ("GET", TARGET, SECRET, {ACCESS_KEY: "OTHER"}),
        ("GET", TARGET, SECRET, {SIGNATURE: "nonsense"}),
        ("GET", TARGET, SECRET, {SIGNATURE: "서명"}),
        ("GET", TARGET, SECRET, {TIMESTAMP: "9" * 5000}),
        ("GET", TARGET, None, {}),
    ],
)
def test_whatever_differs_is_invalid(method: str, target: str, secret: str | None, changes: dict[str, str]) -> None:
    assert verify(headers(**changes), method, target=target, secret=secret, now_ms=AT) == "invalid"


@pytest.mark.parametrize("timestamp", ["soon", "-1", "1e12", "9" * 400])
def test_a_timestamp_that_is_no_number_is_stale_even_when_it_is_signed(timestamp: str) -> None:
    signature = sign("GET", TARGET, timestamp=timestamp, access_key=KEY, secret=SECRET)
    sent = {TIMESTAMP: timestamp, ACCESS_KEY: KEY, SIGNATURE: signature}
    assert verify(sent, "GET", target=TARGET, secret=SECRET, now_ms=AT) == "stale"


def test_an_unknown_key_can_not_be_forged_with_the_words_that_stand_for_no_secret() -> None:
    signature = sign("GET", TARGET, timestamp=str(AT), access_key=KEY, secret="no secret")
    assert verify(headers(**{SIGNATURE: signature}), "GET", target=TARGET, secret=None, now_ms=AT) == "invalid"
