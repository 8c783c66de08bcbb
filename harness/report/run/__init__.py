"""A whole run as text, Markdown, JUnit XML and an HTML page."""
