"""Tests of the server for clients that the harness does not drive."""
