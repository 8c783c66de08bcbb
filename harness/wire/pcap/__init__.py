"""Chunks of a tap as the packets of a capture file."""
