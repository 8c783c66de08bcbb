"""Peers and agents that lie or do no TLS, and the tests that catch them."""
