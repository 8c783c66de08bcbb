"""What OpenSSL's error queue and a fatal alert say about a failed handshake, in words."""
