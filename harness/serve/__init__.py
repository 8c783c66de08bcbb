"""One server for clients that the harness does not drive: browsers, scanners, other test suites."""
