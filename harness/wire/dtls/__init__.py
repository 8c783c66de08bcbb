"""DTLS: its records and fragments."""
