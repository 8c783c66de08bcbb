"""How endpoints are driven: one module or folder a stack, each behind the Protocols of base."""
