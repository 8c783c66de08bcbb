"""What each end proved itself with: certificates, raw public keys and stapled responses."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from harness.agent.vocabulary import CertCompression
from harness.model.tls import Role, TLSVersion
from harness.pair.audit.shown import Shown, exactly, once, readable
from harness.wire.hellos import COMPRESS_CERTIFICATE, numbers_of
from harness.wire.messages import ZLIB

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from harness.pair.audit.shown import Wire


def configured(client: str, server: str) -> Callable[[Wire, Role], object]:
    """The value of the knob that each role's fact has, where an end keeps the rules."""

    def reports(wire: Wire, role: Role) -> object:
        setup = wire.connection.setup
        if setup is None or wire.mutated(role):
            return None
        return getattr(setup.config(role), client if role is Role.CLIENT else server, None)

    return reports


@once
def asks_to_compress(wire: Wire, _role: Role) -> Shown | None:
    """An OpenSSL asks for it where it offers TLS 1.3 (RFC 8879, 3)."""
    hellos = wire.transcript.client_hellos
    if not hellos or TLSVersion.TLSv1_3.wire not in hellos[0].supported_versions:
        return None
    return exactly(COMPRESS_CERTIFICATE in hellos[0].extensions, "compress_certificate in ClientHello")


def compresses(wire: Wire, role: Role) -> Shown | None:
    """A plain certificate means nothing where the peer may take it in no algorithm that this end has."""
    if "CompressedCertificate" in wire.types(role):
        return exactly(value=True, where=f"CompressedCertificate of the {role}")
    hellos, setup = wire.transcript.client_hellos, wire.connection.setup
    if role is Role.CLIENT or not wire.transcript.certificates.get(role) or not hellos or setup is None:
        return None
    asked = hellos[-1].extensions.get(COMPRESS_CERTIFICATE, b"")
    own = setup.server.cert_compressions
    if wire.first is None or wire.first.version is not TLSVersion.TLSv1_3 or (own and CertCompression.ZLIB not in own):
        return None
    return exactly(value=False, where=f"Certificate of the {role}") if ZLIB in numbers_of(asked[1:]) else None


@once
def stapled(wire: Wire, _role: Role) -> Shown | None:
    """A resumption has none: the response is of the connection, and not of the session (tls_process_cert_status).

    After a renegotiation it is that of the last handshake, where OpenSSL forgets the earlier one (init_status_request).
    """
    if not wire.handshakes or wire.unread_chain(Role.SERVER):
        return None
    if wire.handshakes[-1].tls13 and wire.transcript.encrypted_extensions is None:
        return None
    responses = [each.stapled for each in wire.handshakes]
    where = f"{'a' if responses[-1] else 'no'} stapled response of the server"
    return Shown(set(responses) if responses[-1] else {*responses, b""}, where)


def agreed_raw_key(wire: Wire, role: Role) -> object:
    """Whether both ends take a raw public key in place of this one's certificate, and prefer it (RFC 7250, 4)."""
    setup = wire.connection.setup
    if setup is None or wire.mutated(Role.CLIENT) or wire.mutated(Role.SERVER):
        return None
    both = [getattr(config, f"{role}_rpk", None) for config in (setup.client, setup.server)]
    return None if both == [None, None] else all(both)


def raw_key(wire: Wire, role: Role) -> Shown | None:
    """Whether an end proved itself with a raw public key; unknown where it sent neither."""
    if wire.first is None or role not in wire.transcript.certificates:
        return None
    key = wire.transcript.raw_public_keys.get(role)
    if key is None and not wire.transcript.certificates[role]:
        return None  # neither: an end without a certificate
    return exactly(key is not None, f"{'a raw public key' if key is not None else 'certificates'} of the {role}")


def peer_certificate(wire: Wire, role: Role) -> Shown | None:
    """A resumed end has the certificate of the session, which this connection's wire does not show."""
    if not wire.handshakes:
        return None
    last = wire.handshakes[-1]
    if last.resumed and last.chain(role.peer) is None:
        held = _held_certificates(wire, role)
        return None if held is None else Shown({bool(each) for each in held}, "it resumes, and the session says so")
    if not _shows_certificates(wire, role.peer):
        return None
    chain = last.chain(role.peer)
    shown = bool(chain) if chain is not None else wire.unread_chain(role.peer)
    return exactly(shown, f"{'a' if shown else 'no'} Certificate of the {role.peer}")


def _held_certificates(wire: Wire, role: Role) -> set[bytes] | None:
    """The peer's certificate in each session that the last handshake can resume; None where one is unknown.

    A renegotiation resumes a session of an earlier handshake of its connection, or the one that the client offered.
    """
    found = set()
    if wire.handshakes[0].resumed:
        offered = wire.connection.offered
        session = offered.get("peer_certificate") if offered and role is Role.CLIENT else None
        if not isinstance(session, bytes):
            return None
        found.add(session)
    if wire.unread_chain(role.peer):
        return None
    chains = [each.chain(role.peer) for each in wire.handshakes if not each.resumed or each.chain(role.peer)]
    return found | {chain[0] if chain else b"" for chain in chains}


def _shows_certificates(wire: Wire, role: Role) -> bool:
    """Whether the wire shows all that an end sent in the last handshake, be it sealed or not."""
    last = wire.handshakes[-1]
    finished = any(m.type == "Finished" and m.sender is role for m in last.messages)
    return not last.tls13 or (wire.transcript.encrypted_extensions is not None and finished)


class _LedBy:
    """No chain, and every chain whose first certificate has one of these digests."""

    def __init__(self, digests: set[str]) -> None:
        self._first = {(), *((digest,) for digest in digests)}

    def __contains__(self, reported: object) -> bool:
        return isinstance(reported, tuple) and reported[:1] in self._first


def peer_chain(wire: Wire, role: Role) -> Shown | None:
    """A resumption sends no certificates; what an end then has is its session's."""
    if not wire.handshakes:
        return None
    last = wire.handshakes[-1]
    chain = last.chain(role.peer)
    if last.resumed and chain is None:
        held = _held_certificates(wire, role)
        if held is None:
            return None
        digests = {sha256(each).hexdigest() for each in held if each}
        said = readable(tuple(sorted(digests)))
        return Shown(_LedBy(digests), f"no Certificate, and the session has {said}")
    if chain is None and not wire.unread_chain(role.peer) and _shows_certificates(wire, role.peer):
        return exactly((), f"no Certificate of the {role.peer}")
    if chain is None:
        return None
    return exactly(tuple(sha256(der).hexdigest() for der in chain), f"Certificate of the {role.peer}")


def certificates_before(wire: Wire, role: Role) -> Collection[object]:
    """None, or that of the offered session, which a server may have found."""
    offered = wire.connection.offered
    if offered is None:
        return (False,)
    held = offered.get("peer_certificate")
    if role is Role.SERVER:
        return (False, True) if wire.unanswered or any(stage.resumed for stage in wire.stages) else (False,)
    return (False, True) if held is None else (False, bool(held))
