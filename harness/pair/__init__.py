"""Two endpoints with a tap between them, and the connections that they make."""
