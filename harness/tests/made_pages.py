"""Whether the generated pages can be compared with what this machine would make."""

from __future__ import annotations

import msgspec
import pytest
from packaging.version import Version

SINCE = "0.23"
"""msgspec before it lists the members of `anyOf` in another order and leaves `propertyNames` out of a schema."""

same_schemas = pytest.mark.skipif(
    Version(msgspec.__version__) < Version(SINCE),
    reason=f"the schemas are those of msgspec {SINCE}; {msgspec.__version__} writes the same in another way",
)
