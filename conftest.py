"""Loads the harness into pytest; everything else stands in the plugin."""

pytest_plugins = ["harness.plugin.hooks", "harness.tests.fixtures"]
