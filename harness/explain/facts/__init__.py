"""Facts about a connection and the session that it offered."""
