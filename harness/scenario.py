"""What a scenario file declares of its cells; no collecting, no running."""

from __future__ import annotations
