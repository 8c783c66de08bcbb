"""The commands that run scenarios, and those that read the results."""
