"""What is worth knowing about a resumed connection: its caveats, and how long its session lasts."""
