from headrace.api.guesses import Guesses


def spent(guesses: Guesses, peer: str) -> None:
    """Let the address send as many wrong signatures as it may."""
    for _ in range(100):
        assert not guesses.hold_back(peer, "KEY", seconds=0)
        guesses.failed(peer, seconds=0)


def test_an_address_that_guesses_is_held_back_and_others_are_not() -> None:
    guesses = Guesses()
    spent(guesses, "10.0.0.1")
    assert guesses.hold_back("10.0.0.1", "KEY", seconds=0)
    assert not guesses.hold_back("10.0.0.2", "KEY", seconds=0)
    assert not guesses.hold_back("10.0.0.1", "KEY", seconds=1)


def test_whoever_has_signed_rightly_from_there_is_let_through() -> None:
    guesses = Guesses()
    guesses.proven("10.0.0.1", "GOOD", seconds=0)
    spent(guesses, "10.0.0.1")
    assert not guesses.hold_back("10.0.0.1", "GOOD", seconds=0)
    assert guesses.hold_back("10.0.0.1", "OTHER", seconds=0)


def test_a_proof_does_not_hold_for_ever() -> None:
    guesses = Guesses()
    guesses.proven("10.0.0.1", "GOOD", seconds=0)
    for _ in range(100):
        guesses.failed("10.0.0.1", seconds=3601)
    assert guesses.hold_back("10.0.0.1", "GOOD", seconds=3601)


def test_the_addresses_of_one_ipv6_customer_are_one() -> None:
    guesses = Guesses()
    for number in range(100):
        guesses.failed(f"2001:db8::{number:x}", seconds=0)
    assert guesses.hold_back("2001:db8::ffff", "KEY", seconds=0)
    assert not guesses.hold_back("2001:db8:0:1::1", "KEY", seconds=0)
    assert not guesses.hold_back("unknown", "KEY", seconds=0)
