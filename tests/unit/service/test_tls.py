import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509 import load_pem_x509_certificate

from headrace.errors import SettingInvalid
from headrace.service.tls import Certificate, CertificateUnreadable, certificate
from headrace.settings import Settings, load_settings

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def settings(folder: Path, **given: str) -> Settings:
    return load_settings({"data": str(folder), **given}, {}, folder)


def made(folder: Path, *, now: datetime = NOW, host: str = "127.0.0.1") -> Certificate:
    found = certificate(settings(folder, tls="self-signed", host=host), now=now)
    assert found is not None
    return found


def test_without_a_certificate_there_is_no_tls(tmp_path: Path) -> None:
    assert certificate(settings(tmp_path), now=NOW) is None
    assert not list(tmp_path.iterdir())


def test_a_certificate_of_its_own_is_kept_until_it_ends_soon_or_the_host_is_another(tmp_path: Path) -> None:
    first = made(tmp_path).fingerprint()
    assert made(tmp_path, now=NOW + timedelta(days=360)).fingerprint() == first
    later = made(tmp_path, now=NOW + timedelta(days=370)).fingerprint()
    assert later != first
    assert made(tmp_path, now=NOW + timedelta(days=370), host="flow.example.org").fingerprint() != later


def test_a_certificate_of_its_own_names_this_machine_and_can_make_no_other(tmp_path: Path) -> None:
    found = made(tmp_path, host="flow.example.org")
    known = load_pem_x509_certificate(found.cert.read_bytes())
    text = str(known.extensions)
    for name in ("localhost", "127.0.0.1", "::1", "flow.example.org", "ca=False"):
        assert name in text
    assert (found.key.stat().st_mode & 0o777, found.key.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert NOW < known.not_valid_after_utc < NOW + timedelta(days=398)


def test_a_key_that_others_may_read_is_made_anew(tmp_path: Path) -> None:
    first = made(tmp_path)
    before = first.fingerprint()
    first.key.chmod(0o644)
    assert made(tmp_path).fingerprint() != before


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    one, two = made(tmp_path / "one"), made(tmp_path / "two")
    mixed = settings(tmp_path, tls_cert=str(one.cert), tls_key=str(two.key))
    with pytest.raises(CertificateUnreadable, match="belong together"):
        certificate(mixed, now=NOW)
    with pytest.raises(CertificateUnreadable, match="No such file"):
        Certificate(tmp_path / "gone.pem", one.key).load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))


@pytest.mark.parametrize(
    "given", [{"tls_cert": "a"}, {"tls_key": "a"}, {"tls_cert": "a", "tls_key": "b", "tls": "self-signed"}]
)
def test_half_a_certificate_and_two_of_them_are_refused(tmp_path: Path, given: dict[str, str]) -> None:
    with pytest.raises(SettingInvalid):
        certificate(settings(tmp_path, **given), now=NOW)
