"""Whom we trust, and what to say when we do not.

What is always true: certificates and host names are verified, TLS is 1.2 or newer, and there is no switch for either.
A hook may bring certificates of its own, trusted beside the system's and for that hook alone. Sessions are not resumed:
a resumed one is not verified again, and connections that are kept open spare more.

Reading the system's certificates takes some 50 milliseconds and a megabyte, so contexts are made in a thread and the
`CONTEXTS_KEPT` used last are kept.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict

from tidings.delivery.outcomes import NoConnection, Reason
from tidings.errors import Invalid

CONTEXTS_KEPT = 32
AUTHORITY_LIMIT = 64 * 1024  # characters of PEM: some forty certificates

_VERIFY_SENTENCES = {  # by OpenSSL's X509_V_ERR numbers
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    18: "its certificate is self-signed",
    19: "its certificate is signed by an authority that is not trusted here",
    20: "its certificate is signed by an authority that is not trusted here, or it does not send the certificates between",
    21: "its certificate is signed by an authority that is not trusted here, or it does not send the certificates between",
    23: "its certificate was revoked",
    62: "its certificate is for another host",
    64: "its certificate is for another host",
}
_HANDSHAKE_SENTENCES = {  # by OpenSSL's reason names
    "WRONG_VERSION_NUMBER": "it does not speak TLS on this port",
    "HTTP_REQUEST": "it does not speak TLS on this port",
    "PACKET_LENGTH_TOO_LONG": "it does not speak TLS on this port",
    "UNSUPPORTED_PROTOCOL": "it speaks no TLS of version 1.2 or newer",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it speaks no TLS of version 1.2 or newer",
    "TLSV1_UNRECOGNIZED_NAME": "it does not know this host name",
    "UNEXPECTED_EOF_WHILE_READING": "it broke off the TLS handshake",
}
_UNREADABLE = (ssl.SSLError, ValueError, TypeError)  # what the ssl module makes of text that is not PEM, empty, not ASCII


class Trust:
    """The contexts of one event loop, by the certificates that a hook brings."""

    def __init__(self) -> None:
        self._made: OrderedDict[str | None, asyncio.Future[ssl.SSLContext | Exception]] = OrderedDict()

    async def context(self, ca: str | None) -> ssl.SSLContext:
        """What verifies a destination: the system's certificates and those in `ca`. Raises `NoConnection`."""
        made = self._made.get(ca)
        if made is None:
            made = self._made[ca] = asyncio.get_running_loop().run_in_executor(None, _make_context, ca)
            if len(self._made) > CONTEXTS_KEPT:
                self._made.popitem(last=False)
        self._made.move_to_end(ca)
        context = await asyncio.shield(made)
        if isinstance(context, Exception):
            raise NoConnection(Reason.TLS, "the hook's own certificates cannot be read")
        return context


def check_authority(pem: str) -> None:
    """Say whether a hook may bring `pem`. Raises `Invalid` when it holds no certificate, or is too long."""
    if len(pem) > AUTHORITY_LIMIT:
        raise Invalid(f"Invalid value for ca: longer than {AUTHORITY_LIMIT} characters", parameters={"ca": "length"})
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except _UNREADABLE:
        raise Invalid("Invalid value for ca: not a certificate in PEM", parameters={"ca": "pem"}) from None


def explain(error: OSError) -> str:
    """Why a handshake failed, as a sentence that begins with the destination ("it")."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY_SENTENCES.get(error.verify_code, f"its certificate is not valid: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        reason = error.reason or "unknown"
        return _HANDSHAKE_SENTENCES.get(reason, f"the TLS handshake failed: {reason.replace('_', ' ').lower()}")
    return "it broke off the TLS handshake"


def _make_context(ca: str | None) -> ssl.SSLContext | Exception:
    # Not `create_default_context`: that one writes session keys to a file that the environment names.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_default_certs()
    try:
        if ca is not None:
            context.load_verify_locations(cadata=ca)
    except _UNREADABLE as error:
        return error
    return context
