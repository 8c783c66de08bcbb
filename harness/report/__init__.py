"""Connections, sessions and verdicts as text and JSON; pure: nothing is read, written or printed here."""
