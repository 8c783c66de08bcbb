"""QUIC: its ends, and which of them a callback is about."""
