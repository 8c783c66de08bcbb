"""Tests of harness.wire.session."""
