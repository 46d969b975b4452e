import base64

import pytest

from headrace import readings


def test_a_prefix_of_paths_has_a_slash_before_it_and_none_behind() -> None:
    assert [readings.path_prefix(text) for text in ("", "/", "/flow", "/a/b-1/")] == ["", "", "/flow", "/a/b-1"]


@pytest.mark.parametrize("text", ["flow", "/a//b", "/%41", "/a b", "/../etc", "/a?b", "/작업"])
def test_what_can_not_begin_a_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="like /flow"):
        readings.path_prefix(text)


def test_an_address_has_no_slash_at_its_end() -> None:
    assert readings.url("https://flow.example.org/a/") == "https://flow.example.org/a"
    assert readings.url("http://[::1]:8080") == "http://[::1]:8080"


@pytest.mark.parametrize("text", ["flow.example.org", "ftp://a", "https://a?b=c", "http://user:pass@a"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="an address like"):
        readings.url(text)


def test_words_are_those_that_are_known() -> None:
    assert (readings.log_level("INFO"), readings.log_format("json"), readings.tls("")) == ("info", "json", "")
    for read in (readings.log_level, readings.log_format, readings.tls):
        with pytest.raises(ValueError, match=r"\w"):
            read("loud")


def test_an_issuer_is_taken_sign_by_sign() -> None:
    for text in ("", "https://sso.example.org/realms/main", "https://example.auth.org/"):
        assert readings.issuer(text) == text
    for text in ("sso.example.org", "https://a?b=c", "https://user@a"):
        with pytest.raises(ValueError, match="an address like"):
            readings.issuer(text)


def test_hosts_are_names_with_or_without_a_port() -> None:
    assert readings.words(readings.hosts("keys.example.org, 10.0.0.5:8443 ,[::1]:1")) == (
        "keys.example.org",
        "10.0.0.5:8443",
        "[::1]:1",
    )
    for text in ("https://keys.example.org", "a b", "keys.example.org/x"):
        with pytest.raises(ValueError, match="hosts with or without port"):
            readings.hosts(text)


def test_claims_are_named_and_there_is_at_least_one() -> None:
    assert readings.claims("realm_access.roles,https://example.org/roles")
    for text in ("", " , ", "a claim"):
        with pytest.raises(ValueError, match="names of claims"):
            readings.claims(text)


def test_keys_have_names_each_once_and_thirty_two_bytes() -> None:
    first, second = (base64.b64encode(bytes([sign]) * 32).decode() for sign in b"ab")
    text = f"cards:{first}, people-2:{second}\n"
    assert readings.keys(text) == text
    assert readings.named_keys(text) == {"cards": b"a" * 32, "people-2": b"b" * 32}
    assert readings.named_keys("") == {}
    for wrong in (first, f"cards:{first[:-4]}", f"a:{first},a:{second}", f"a b:{first}", f"cards:{first}=", "cards:"):
        with pytest.raises(ValueError, match="names, each once") as told:
            readings.keys(wrong)
        assert first[:8] not in str(told.value)
