"""The program that drives one TLS library in a process of its own; JSON lines on stdin and stdout (PROTOCOL.md)."""
