"""A TLS 1.3 ticket resumes (RFC 8446, 2.2 and 4.6.1)."""
