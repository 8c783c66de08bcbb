"""Self-contained reproducers: connections become a story, and a story becomes programs."""
