"""Certificates for the tests' servers: good ones from an authority of their own, and some that are not."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def authority_pem(authority: trustme.CA) -> str:
    """What a hook brings as its own `ca` to trust `authority`."""
    return authority.cert_pem.bytes().decode()


def server_context(authority: trustme.CA, *names: str, not_after: dt.datetime | None = None) -> ssl.SSLContext:
    """A server's context with a certificate of `authority` for `names`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, not_after=not_after).configure_cert(context)
    return context


def self_signed(folder: Path, name: str) -> tuple[ssl.SSLContext, str]:
    """A server's context with a certificate for `name` that only itself vouches for, and that certificate in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    clear = serialization.NoEncryption()
    path = folder / "self-signed.pem"
    path.write_bytes(pem + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, clear))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, pem.decode()
