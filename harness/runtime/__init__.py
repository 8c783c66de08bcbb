"""The interface to the operating system: processes, sockets, clocks and keys."""
