"""The agent: a program of its own that drives one TLS library and speaks JSON lines; see PROTOCOL.md."""
