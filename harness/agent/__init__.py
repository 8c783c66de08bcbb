"""The agent: a program that drives one TLS library and speaks JSON lines; see PROTOCOL.md."""
