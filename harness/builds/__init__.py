"""Which OpenSSLs there are to test, and where their parts lie."""
