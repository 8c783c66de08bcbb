"""One case at a desk: connect, resume, minimize, bisect."""
