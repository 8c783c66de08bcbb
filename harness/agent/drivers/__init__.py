"""One driver a TLS library: each has ``load(**options) -> Library`` imports only agent.library."""
