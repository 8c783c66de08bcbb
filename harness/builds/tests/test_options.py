"""What a build was made with is read from its libraries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.builds.options import options
from harness.builds.system import build_for
from harness.model.build import Build


def test_a_library_says_what_it_was_built_with() -> None:
    build = build_for("libssl")
    if not isinstance(build, Build):
        pytest.skip(build.reason)
    found = options(build)

    assert found is not None
    assert set(found) <= {"zlib", "brotli", "zstd", "ssl3", "srp", "seclevel2"}


def test_a_program_alone_does_not_say() -> None:
    build = build_for("libssl")
    if not isinstance(build, Build):
        pytest.skip(build.reason)

    assert options(replace(build, libssl=None)) is None
    assert options(replace(build, libcrypto=build.libssl, libssl=build.libcrypto and build.libcrypto.parent)) is None
