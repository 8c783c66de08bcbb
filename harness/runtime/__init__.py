"""Everything that touches the operating system: processes, sockets, clocks, keys."""
