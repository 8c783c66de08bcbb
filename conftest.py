"""Loads the harness's pytest plugin for the scenarios and for the harness's own tests."""

pytest_plugins = ["harness.plugin"]
