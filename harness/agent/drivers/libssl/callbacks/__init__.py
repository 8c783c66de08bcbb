"""The callbacks of a context: those of each, an external cache, ticket keys."""
