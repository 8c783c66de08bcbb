"""One driver per TLS library; each provides ``load(**options) -> Library``."""
