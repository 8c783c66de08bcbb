"""How endpoints are driven: one module or folder per stack, each behind the Protocols of base."""
