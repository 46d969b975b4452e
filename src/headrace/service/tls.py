"""TLS: which certificate the server shows, and one of its own making for machines that have no other.

A certificate of its own making says who the server is only to those who were given it; it lies in the data folder.
"""

import ipaddress
import os
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from headrace.errors import HeadraceError, SettingInvalid
from headrace.settings import Settings

if TYPE_CHECKING:
    from cryptography.x509 import GeneralName

FOLDER = "tls"
_VALID = timedelta(days=397)
_RENEWED_BEFORE = timedelta(days=30)
# Clients whose clock is a little behind take it, too.
_BACKDATED = timedelta(hours=1)


class CertificateUnreadable(HeadraceError):
    """The certificate or its key can't be used."""

    code = "certificate-unreadable"


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files of a certificate and of its private key."""

    cert: Path
    key: Path

    def load_into(self, context: ssl.SSLContext) -> None:
        """Show this certificate to those who connect from now on. Raises CertificateUnreadable."""
        try:
            context.load_cert_chain(self.cert, self.key, password="")
        except (OSError, ssl.SSLError) as error:
            reason = error.strerror or str(error)
            hint = "both are PEM, the key without a password, and they belong together"
            raise CertificateUnreadable(f"{self.cert} and {self.key}: {reason}", hint=hint) from None

    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as clients show it."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.x509 import load_pem_x509_certificate

        return load_pem_x509_certificate(self.cert.read_bytes()).fingerprint(hashes.SHA256()).hex(":").upper()


def certificate(settings: Settings, *, now: datetime) -> Certificate | None:
    """The certificate that the settings name, or None for plain HTTP. Raises SettingInvalid, CertificateUnreadable."""
    cert, key, kind = settings["tls_cert"], settings["tls_key"], settings["tls"]
    if bool(cert) != bool(key):
        raise SettingInvalid("one of tls_cert and tls_key is not set", hint="set both")
    if cert and kind:
        raise SettingInvalid("tls and tls_cert are both set", hint="take one away")
    if cert:
        named = Certificate(Path(cert).expanduser(), Path(key).expanduser())
    elif kind:
        named = _own(settings.data / FOLDER, settings["host"], now=now)
    else:
        return None
    named.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    return named


def _own(folder: Path, host: str, *, now: datetime) -> Certificate:
    """The server's own certificate, made when there is none, when it ends soon, or when the host is another one."""
    found = Certificate(folder / "cert.pem", folder / "key.pem")
    names = _names(host)
    if not _still_good(found, names, now):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key, cert = _made(names, now)
        _write(found.key, key, 0o600)
        _write(found.cert, cert, 0o644)
    return found


def _names(host: str) -> tuple[str, ...]:
    """What clients may call the server. A host that stands for all addresses is no name."""
    asked = () if host in ("0.0.0.0", "::", "") else (host,)
    return tuple(dict.fromkeys(("localhost", "127.0.0.1", "::1", socket.gethostname(), *asked)))


def _still_good(found: Certificate, names: tuple[str, ...], now: datetime) -> bool:
    from cryptography.x509 import DNSName, IPAddress, SubjectAlternativeName, load_pem_x509_certificate

    if not found.key.exists() or found.key.stat().st_mode & 0o077:
        return False
    try:
        known = load_pem_x509_certificate(found.cert.read_bytes())
    except (OSError, ValueError):
        return False
    held = known.extensions.get_extension_for_class(SubjectAlternativeName).value
    has = {*held.get_values_for_type(DNSName), *(str(each) for each in held.get_values_for_type(IPAddress))}
    return known.not_valid_after_utc - now > _RENEWED_BEFORE and has >= set(names)


def _made(names: tuple[str, ...], now: datetime) -> tuple[bytes, bytes]:
    """A private key and its certificate, as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Headrace")])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    cert = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName([_general(each) for each in names]), critical=False)
        # No authority: who trusts it trusts this server, and nothing that is made with its key.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(usage, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(pem, form, serialization.NoEncryption()), cert.public_bytes(pem)


def _general(name: str) -> "GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, data: bytes, mode: int) -> None:
    """A file that is there whole or not at all, and readable to nobody else even before it is whole."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
