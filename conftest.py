"""Loads the harness into pytest; everything else stands in the plugin."""

pytest_plugins = [
    "harness.plugin.entry",
    "harness.plugin.short_options",
    "harness.plugin.hooks",
    "harness.tests.fixtures",
]
