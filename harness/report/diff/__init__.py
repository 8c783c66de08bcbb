"""What differs between two connections, two sessions, two runs."""
