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
