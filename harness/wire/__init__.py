"""Bytes of TLS and of sessions as data; sans-IO, nothing here opens a file or a socket."""
