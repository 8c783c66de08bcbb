"""Activates the FIPS provider of a build that was configured with enable-fips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.errors import BuildError

if TYPE_CHECKING:
    from pathlib import Path

OPTION = "enable-fips"
TARGET = "install_fips"
"""A target of make that also runs the provider's self test and writes the result to fipsmodule.cnf."""
CONFIGURATION = """\
config_diagnostics = 1
openssl_conf = openssl_init

[openssl_init]
providers = provider_sect
alg_section = algorithm_sect

[provider_sect]
fips = fips_sect
base = base_sect

[base_sect]
activate = 1

[algorithm_sect]
default_properties = fips=yes

"""
"""From fips_module(7), "Making all applications use the FIPS module by default", with the included file appended."""


def activate(folder: Path) -> None:
    """Write an openssl.cnf to the ``ssl`` folder of a build that loads only the FIPS and base providers."""
    module = folder / "fipsmodule.cnf"
    if not module.is_file():
        raise BuildError(f"`make {TARGET}` left no {module.name}: see the output of its self test, if it ran")
    (folder / "openssl.cnf").write_text(CONFIGURATION + module.read_text())
