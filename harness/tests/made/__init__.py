"""Connections and accounts that no handshake made, for tests of what reads them."""
