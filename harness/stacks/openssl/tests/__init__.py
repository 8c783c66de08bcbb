"""Tests of harness.stacks.openssl."""
