"""Tests of what OpenSSL says, in words."""
