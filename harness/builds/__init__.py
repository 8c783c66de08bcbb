"""Finds, fetches and builds the OpenSSLs to test."""
