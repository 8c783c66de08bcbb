"""Renders the contexts of a story as functions of a C program; one function makes all equal contexts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.agent.kinds import psk_of
from harness.agent.knobs import DEFAULT_IDENTITY
from harness.agent.vocabulary import OVER_TCP, QUIC_PROTOCOLS, PskCipher, TicketCipher, TicketKeyResult
from harness.model.knobs import CacheMode
from harness.model.tls import Role
from harness.reproduce import quoting
from harness.reproduce.c.knob_statements import carrier_of, generations, statements, wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.agent.vocabulary import PskCallback
    from harness.reproduce.story import Context, Story


METHODS = {OVER_TCP: "TLS", "DTLS": "DTLS", "QUIC": "OSSL_QUIC"}
"""The beginning of the name of an SSL_METHOD, by what carries its versions."""
EVP_CIPHERS = {
    TicketCipher.AES_CBC: "half == 16 ? EVP_aes_128_cbc() : EVP_aes_256_cbc()",
    TicketCipher.AES_CTR: "half == 16 ? EVP_aes_128_ctr() : EVP_aes_256_ctr()",
    TicketCipher.DES_EDE3_CBC: "EVP_des_ede3_cbc()",
}
"""The EVP_CIPHER of a ticket whose key has two halves of ``half`` bytes."""
BY_KEY = 9
"""Stands for the result that depends on the key: 1 for the first of a ring, 2 for others."""


@dataclass(frozen=True, slots=True)
class Maker:
    """A function that makes the SSL_CTX of all these equal ``contexts``."""

    story: Story
    contexts: tuple[Context, ...]

    @property
    def _like(self) -> Context:
        return self.contexts[0]

    @property
    def role(self) -> Role:
        """Return the role of all of them."""
        return self._like.role

    @property
    def number(self) -> int:
        """Return the number of the first of them; it makes the names of the function and its callbacks unique."""
        return self._like.number

    @property
    def name(self) -> str:
        """Return the name of the C function."""
        return f"make_{self.role}_{self.number}"

    @property
    def method(self) -> str:
        """Return the C function of its SSL_METHOD."""
        return f"{METHODS[carrier_of(self._like)]}_{self.role}_method"

    @property
    def says(self) -> str:
        """Return its comment."""
        names = " and ".join(context.name.capitalize() for context in self.contexts)
        return f"{names}: {self._like.stack} with OpenSSL {self._like.version}"

    @property
    def alpn(self) -> bytes | None:
        """Return the protocols that a server's callback selects from, in wire format."""
        names = self._like.knobs.get("alpn", QUIC_PROTOCOLS if carrier_of(self._like) == "QUIC" else None)
        return wire(names) if self.role is Role.SERVER and isinstance(names, tuple) else None

    @property
    def no_protocol(self) -> str:
        """Return what that callback returns if no protocol matches."""
        refuses = self._like.stack == "libssl" or (self._like.stack == "openssl" and not is_1_1_1(self._like))
        return f"SSL_TLSEXT_ERR_{'ALERT_FATAL' if refuses else 'NOACK'}"

    @property
    def session_id(self) -> bytes | None:
        """Return its session id, or the prefix of its session ids."""
        found = self._like.knobs.get("session_id", self._like.knobs.get("session_id_prefix"))
        return found if isinstance(found, bytes) else None

    @property
    def whole_id(self) -> bool:
        """Return whether that is the whole id."""
        return "session_id" in self._like.knobs

    @property
    def ticket_results(self) -> tuple[int, int] | None:
        """Return what its ticket key callback returns for a made and for a read ticket; of the latter 9 by its key."""
        if "ticket_ring" not in self._like.knobs:
            return None
        made, read = self._like.knobs.get("ticket_encrypts"), self._like.knobs.get("ticket_decrypts")
        return (
            TicketKeyResult(made).number if isinstance(made, str) else 1,
            TicketKeyResult(read).number if isinstance(read, str) else BY_KEY,
        )

    @property
    def ticket_cipher(self) -> str:
        """Return the EVP_CIPHER that its ticket key callback sets for a key with two halves of ``half`` bytes."""
        return EVP_CIPHERS[TicketCipher(str(self._like.knobs.get("ticket_cipher", TicketCipher.AES_CBC)))]

    @property
    def external_cache(self) -> str | None:
        """Return the name of its external cache."""
        found = self._like.knobs.get("external_cache")
        return None if found is None else str(found)

    @property
    def external_get(self) -> str:
        """Return what the get callback of the external cache returns."""
        return str(self._like.knobs.get("external_get", "session"))

    @property
    def external_keeps(self) -> bool:
        """Return whether the new callback of the external cache keeps the object."""
        return bool(self._like.knobs.get("external_keeps"))

    @property
    def psk(self) -> bytes | None:
        """Return the key of its external PSK."""
        name = self._like.knobs.get("psk_key")
        return bytes.fromhex(psk_of(name)) if isinstance(name, str) else None

    @property
    def psk_identities(self) -> tuple[str, ...]:
        """Return the identities of its external PSK."""
        return identities(self._like)

    @property
    def psk_suite(self) -> str:
        """Return the name of the suite of its external PSK."""
        return str(self._like.knobs.get("psk_cipher", PskCipher.AES_128))

    @property
    def psk_generations(self) -> frozenset[PskCallback]:
        """Return the generations of callback that have it."""
        return generations(self._like)

    @property
    def psk_of_any(self) -> bool:
        """Return whether it takes any identity in TLS 1.2, and none in 1.3, as psk_server_cb of s_server does."""
        return self.role is Role.SERVER and self._like.stack == "openssl"

    @property
    def acknowledges(self) -> bool:
        """Return whether it acknowledges a server name; of the harness's servers, only libssl does."""
        named = any("server_name" in client.knobs for client in self.story.of(Role.CLIENT))
        return named and self.role is Role.SERVER and self._like.stack == "libssl"

    @property
    def statements(self) -> Iterator[str]:
        """Yield the statements that set up a new SSL_CTX."""
        if self._like.certificate is not None:
            yield f"use_certificate(ctx, {quoting.c(self._like.certificate)});"
        yield from statements(self._like)
        offers = [attempt.offer for attempt in self.story.attempts if attempt.offer]
        if self.role is Role.SERVER and offers:
            yield "SSL_CTX_set_client_hello_cb(ctx, on_client_hello, NULL);"
        if self.acknowledges:
            yield "SSL_CTX_set_tlsext_servername_callback(ctx, on_server_name);"
        if self.role is Role.CLIENT and any(offer.ticket is not None for offer in offers):
            yield from self._new_sessions()

    def _new_sessions(self) -> Iterator[str]:
        """Yield the statements for the new-session callback, which needs a client cache."""
        yield "SSL_CTX_sess_set_new_cb(ctx, on_new_session);"
        modes = self._like.knobs.get("cache_mode", ())
        if not isinstance(modes, Iterable) or not {CacheMode.CLIENT, CacheMode.BOTH} & set(modes):
            call = "SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);"
            yield f"{call} /* for the callback */"


def identities(context: Context) -> tuple[str, ...]:
    """Return the identities of a context's external PSK; empty if it has none."""
    names = context.knobs.get("psk_identity", DEFAULT_IDENTITY)
    return tuple(map(str, names)) if "psk_key" in context.knobs and isinstance(names, tuple) else ()


def is_1_1_1(context: Context) -> bool:
    """Return whether its OpenSSL is 1.1.1, whose s_server differs from later ones."""
    return context.version.startswith("1.1.1")


def makers(story: Story) -> list[Maker]:
    """Return the functions that a story needs, in the order in which their contexts are first used."""
    alike: dict[tuple[object, ...], list[Context]] = {}
    for context in story.contexts:
        key = (context.role, context.stack, context.certificate, repr(sorted(context.knobs.items())))
        alike.setdefault(key, []).append(context)
    return [Maker(story, tuple(contexts)) for contexts in alike.values()]


def server_end(story: Story) -> str | None:
    """Return what a server does before SSL_free after any close: s_server marks the connection as shut down.

    That keeps the session in its cache (sv_body in apps/s_server.c, ssl_clear_bad_session). None for other stacks.
    """
    for server in story.of(Role.SERVER):
        if server.stack == "openssl":
            flags = "SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN"
            return f"SSL_set_shutdown(c->server, {flags});" if is_1_1_1(server) else "SSL_shutdown(c->server);"
    return None
