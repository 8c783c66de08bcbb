"""What is known about a connection and the session that it offered: facts."""
