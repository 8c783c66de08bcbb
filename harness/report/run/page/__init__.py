"""A run as one HTML page that needs nothing else: its rows, its details in blocks, its templates, style and script."""
