"""What is wrong between us and a receiver, and what to do about it: a sentence or two for every fault of the network. Pure."""

from __future__ import annotations

from tidings.delivery.evidence import Certificate, Fault, Probe, Stage
from tidings.delivery.wording import at, listed

NAMES_SHOWN = 5  # of a certificate
ADDRESSES_SHOWN = 4  # of a name

_UNSAID = Certificate((), "an authority", 0, 0)

_SENTENCES: dict[Fault, str] = {
    "url": "{detail}. Edit the hook's URL.",
    "port": "{detail}. Use the scheme's own port, or have this server's operator open {where} (the setting `allow`).",
    "address": "{detail}. Use a public address, or have this server's operator open it (the setting `allow`).",
    "dns": "{detail}. Check how the name is written in the hook's URL, and its DNS records.",
    "nothing_listens": "{where} cannot be reached: {detail}. Start the receiver, or correct the port in the hook's URL.",
    "firewall": "{where} ({address}) does not react: {detail}. A firewall that drops what we send does so: have it let us in.",
    "unreachable": "{where} cannot be reached: {detail}. Check the network between this server and the receiver.",
    "tls": "TLS with {where} fails: {detail}. Repair the receiver's TLS, or correct scheme and port in the hook's URL.",
    "certificate": "The certificate of {where} is not accepted: {detail}. Renew it.",
    "certificate_expired": "The certificate of {where} expired at {ends}. Renew it.",
    "certificate_not_yet": "The certificate of {where} is good from {begins} on. Check it, and the clock of this server.",
    "certificate_host": "The certificate of {where} is for {names}, not for {host}. Get one for {host}, or correct the hook's URL.",
    "certificate_self_signed": (
        "The certificate of {where} is self-signed: nobody else vouches for it. "
        "Get one from an authority, or make the hook with this one as its `ca`."
    ),
    "certificate_chain": (
        "The certificate of {where} is signed by {issuer}, whom nothing here leads to. Have the receiver send its whole chain "
        "(often a file named fullchain.pem), or, where that authority is your own, make the hook with its certificate as `ca`."
    ),
}


def explain_fault(probe: Probe, fault: Fault) -> str:
    """What is wrong, and what to do."""
    certificate = probe.certificate or _UNSAID
    sentence = _SENTENCES[fault].format(
        detail=probe.detail,
        where=probe.authority,
        host=probe.host,
        address=probe.address,
        names=listed(certificate.names[:NAMES_SHOWN]) or "no host at all",
        issuer=certificate.issuer,
        begins=at(certificate.begins_at),
        ends=at(certificate.ends_at),
    )
    return sentence if sentence.startswith(probe.host) else sentence[:1].upper() + sentence[1:]  # a name stays as it is written


def explain_passed(stage: Stage, probe: Probe) -> tuple[bool, str]:
    """Whether there was anything to look at, and what is well there."""
    match stage:
        case "url":
            return True, f"Hooks may go to {probe.authority}."
        case "name" if probe.addresses == (probe.host,):
            return False, "The URL has an address, and no name to be resolved."
        case "name":
            resolved = ", ".join(probe.addresses[:ADDRESSES_SHOWN])
            return True, f"{probe.host} resolves to {resolved}."
        case "connection":
            return True, f"{probe.authority} takes connections (at {probe.address})."
        case "certificate" if probe.scheme == "https":
            until = f", until {at(probe.certificate.ends_at)}" if probe.certificate else ""
            return True, f"The certificate is good{until}."
        case "certificate":
            return False, "http has no certificate."
