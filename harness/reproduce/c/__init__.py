"""A story as a C program against libssl."""
