"""QUIC version 1: packets, their protection, and what their frames carry of TLS (RFC 9000, RFC 9001)."""
