"""What cures a server, in the settings of its software."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Need(StrEnum):
    """What has to change at a server."""

    SAME_KEYS = "same_keys"
    """Several back ends have ticket keys of their own."""
    SHARED_CACHE = "shared_cache"
    """Several back ends, or processes, have session caches of their own."""
    ACCEPT = "accept"
    """It issues sessions and accepts none of them."""
    ISSUE = "issue"
    """It issues no session."""
    SAME_SETUP = "same_setup"
    """They have the same ticket key and yet do not accept each other's tickets."""
    KEEP_KEY = "keep_key"
    """It no longer accepts the ticket key that it used before."""
    NO_REPLAY = "no_replay"
    """It accepts the same early data twice."""


GENERIC: Mapping[Need, str] = {
    Need.SAME_KEYS: "give all back ends the same ticket keys (SSL_CTX_set_tlsext_ticket_keys)",
    Need.SHARED_CACHE: "let the back ends share a session cache, or use tickets with the same keys",
    Need.ACCEPT: "let the server use tickets that hold the session, or give it a session cache",
    Need.ISSUE: "switch tickets on, or give the server a session cache",
    Need.SAME_SETUP: (
        "give them the same session id context (SSL_CTX_set_session_id_context), certificates, versions and ciphers"
    ),
    Need.KEEP_KEY: ("keep a key until the tickets made with it have expired (SSL_CTX_set_tlsext_ticket_key_evp_cb)"),
    Need.NO_REPLAY: (
        "refuse early data, let tickets be used once (no SSL_OP_NO_ANTI_REPLAY), or answer 425 to early requests that "
        "change anything (RFC 8470, 5.2)"
    ),
}
"""For software that is unknown, or has no settings of its own for it."""

SETTINGS: Mapping[str, Mapping[Need, str]] = {
    "nginx": {
        Need.SAME_KEYS: "give all servers the same file: ssl_session_ticket_key FILE; (80 random bytes)",
        Need.SHARED_CACHE: (
            "ssl_session_cache shared:TLS:10m; (for the workers of one nginx; for several machines use "
            "ssl_session_tickets on; and the same ssl_session_ticket_key)"
        ),
        Need.ACCEPT: "ssl_session_tickets on; or ssl_session_cache shared:TLS:10m;",
        Need.ISSUE: "ssl_session_tickets on; and ssl_session_cache shared:TLS:10m;",
        Need.NO_REPLAY: (
            "ssl_early_data off; or proxy_set_header Early-Data $ssl_early_data; and a back end that answers 425 to "
            "early requests that change anything (RFC 8470)"
        ),
        Need.SAME_SETUP: (
            "give them the same certificates, ssl_client_certificate, ssl_protocols and ssl_ciphers: its session "
            "id context is made of the certificates"
        ),
        Need.KEEP_KEY: (
            "name the new file first and the old one after it: ssl_session_ticket_key NEW; ssl_session_ticket_key OLD;"
        ),
    },
    "haproxy": {
        Need.SAME_KEYS: "give all servers the same file: bind … ssl tls-ticket-keys FILE",
        Need.SHARED_CACHE: "bind … ssl tls-ticket-keys FILE, the same file for all servers; the cache is one process's",
        Need.ACCEPT: "leave out no-tls-tickets, or raise tune.ssl.cachesize",
        Need.ISSUE: "leave out no-tls-tickets, or raise tune.ssl.cachesize",
        Need.NO_REPLAY: (
            "leave out allow-0rtt; or http-request wait-for-handshake for requests that change anything (RFC 8470)"
        ),
        Need.SAME_SETUP: "give their bind lines the same crt, ca-file, ssl-min-ver and ciphers",
        Need.KEEP_KEY: (
            "keep at least three keys in the file of tls-ticket-keys: the last but one encrypts, and all of them "
            "decrypt"
        ),
    },
    "apache": {
        Need.SAME_KEYS: "give all servers the same file: SSLSessionTicketKeyFile FILE (48 random bytes)",
        Need.SHARED_CACHE: "SSLSessionCache shmcb:/run/httpd/ssl(512000), or memcache: or redis: for several machines",
        Need.ACCEPT: "SSLSessionTickets on, or SSLSessionCache shmcb:/run/httpd/ssl(512000)",
        Need.ISSUE: "SSLSessionTickets on, or SSLSessionCache shmcb:/run/httpd/ssl(512000)",
        Need.NO_REPLAY: "mod_ssl takes no early data; look at what terminates TLS before it",
        Need.SAME_SETUP: (
            "give them the same host name and port, certificates, SSLProtocol and SSLCipherSuite: its session id "
            "context is made of the name and port"
        ),
        Need.KEEP_KEY: (
            "SSLSessionTicketKeyFile has one key; let the sessions rest in a cache: SSLSessionTickets off, and "
            "SSLSessionCache"
        ),
    },
    "stunnel": {
        Need.SAME_KEYS: "give all services the same ticketKeySecret and ticketMacSecret (64 hexadecimal digits each)",
        Need.SHARED_CACHE: (
            "give all services the same ticketKeySecret and ticketMacSecret, and leave out options = NO_TICKET; or "
            "give them the same sessiond"
        ),
        Need.ACCEPT: "leave out options = NO_TICKET, or raise sessionCacheSize",
        Need.ISSUE: "leave out options = NO_TICKET",
        Need.NO_REPLAY: "stunnel takes no early data; look at what terminates TLS before it",
        Need.SAME_SETUP: (
            "give the services the same name in brackets, certificates, sslVersion and ciphers: the session id context "
            "is made of the name"
        ),
        Need.KEEP_KEY: (
            "ticketKeySecret is one key; let the sessions rest in a cache: options = NO_TICKET, with the same sessiond"
        ),
    },
    "envoy": {
        Need.SAME_KEYS: "give all proxies the same DownstreamTlsContext.session_ticket_keys",
        Need.SHARED_CACHE: "give all proxies the same session_ticket_keys; the cache is one worker's",
        Need.ACCEPT: "DownstreamTlsContext.disable_stateless_session_resumption: false",
        Need.ISSUE: "DownstreamTlsContext.disable_stateless_session_resumption: false",
        Need.NO_REPLAY: "Envoy takes no early data over TCP; look at what terminates TLS before it",
        Need.SAME_SETUP: (
            "give them the same certificates and tls_params: its session id context is made of the certificates"
        ),
        Need.KEEP_KEY: "keep the old key in DownstreamTlsContext.session_ticket_keys after the new one, which is first",
    },
    "node": {
        Need.SAME_KEYS: (
            "give all processes the same options ticketKeys (48 random bytes) and sessionIdContext of "
            "tls.createServer; the default of the latter is made of the command line"
        ),
        Need.SHARED_CACHE: "store sessions in the events newSession and resumeSession of tls.Server",
        Need.ACCEPT: "leave SSL_OP_NO_TICKET out of secureOptions",
        Need.ISSUE: "leave SSL_OP_NO_TICKET out of secureOptions",
        Need.NO_REPLAY: "node:tls takes no early data; look at what terminates TLS before it",
        Need.SAME_SETUP: (
            "give them the same option sessionIdContext of tls.createServer; its default is made of the command line"
        ),
        Need.KEEP_KEY: (
            "a tls.Server has one key: server.setTicketKeys replaces it; let the sessions rest in a store "
            "(newSession, resumeSession)"
        ),
    },
    "go": {
        Need.SAME_KEYS: "call tls.Config.SetSessionTicketKeys with the same keys in all processes",
        Need.SHARED_CACHE: "Go has no cache of sessions; call tls.Config.SetSessionTicketKeys with the same keys",
        Need.ACCEPT: "keep one tls.Config for all connections: each clone has keys of its own",
        Need.ISSUE: "leave tls.Config.SessionTicketsDisabled false",
        Need.NO_REPLAY: "crypto/tls takes no early data over TCP; look at what terminates TLS before it",
        Need.SAME_SETUP: "give them the same MinVersion, MaxVersion, CipherSuites and ClientAuth",
        Need.KEEP_KEY: "call SetSessionTicketKeys with the new key first and the old ones after it",
    },
}
"""By the name that `--software` takes."""

SIGNS = {
    "nginx": r"nginx|openresty|tengine",
    "haproxy": r"haproxy",
    "apache": r"apache",
    "envoy": r"envoy",
    "node": r"node|express",
    "go": r"caddy|traefik|\bgo\b",
}
"""How a Server header names the software."""


def software_of(header: str) -> str:
    """The software that a Server header names, as `--software` takes it; empty if it names none of them."""
    return next((name for name, sign in SIGNS.items() if re.search(sign, header, re.IGNORECASE)), "")


def change(software: str, need: Need) -> str:
    """What to change; ``software`` may be empty."""
    known = SETTINGS.get(software)
    return f"{known[need]} ({software})" if known else GENERIC[need]
