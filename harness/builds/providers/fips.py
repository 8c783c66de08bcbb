"""Makes a build that was configured with enable-fips use its FIPS provider: there is nothing else to build it for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.errors import BuildError

if TYPE_CHECKING:
    from pathlib import Path

OPTION = "enable-fips"
TARGET = "install_fips"
"""Of make: it also runs the provider's self test, and writes what came of it to fipsmodule.cnf."""
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
"""fips_module(7), "Making all applications use the FIPS module by default"; what it includes is appended instead."""


def activate(folder: Path) -> None:
    """Let the openssl.cnf in a build's ``ssl`` folder load the FIPS and base providers, and no other algorithms."""
    module = folder / "fipsmodule.cnf"
    if not module.is_file():
        raise BuildError(f"`make {TARGET}` left no {module.name}: its self test tells why, if it ran")
    (folder / "openssl.cnf").write_text(CONFIGURATION + module.read_text())
