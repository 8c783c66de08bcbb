"""Encodes a config as the knobs and files of a ``context`` request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.model.knobs import ServerConfig, Verify, knobs_of

if TYPE_CHECKING:
    from harness.model.knobs import ClientConfig, Config
    from harness.runtime.runtime import Runtime


def knobs_object(config: Config) -> dict[str, Any]:
    """Return the ``knobs`` of a context request, without those that are passed as an environment or as files."""
    rows = knobs_of(config.role)
    given = config.given().items()
    return {name: rows[name].kind.encode(value) for name, value in given if rows[name].kind.carried}


def files_object(config: ClientConfig | ServerConfig, runtime: Runtime) -> dict[str, str]:
    """Return the ``files`` of a context request: a server has a certificate, an end that verifies has the authority.

    An external cache is a folder of the run, so that servers of any build share it.
    """
    pki = runtime.pki
    files: dict[str, str] = {}
    if isinstance(config, ServerConfig) and config.external_cache is not None:
        files["external_cache"] = str(runtime.folder / "external_caches" / config.external_cache.encode().hex())
    if config.verify not in {None, Verify.NONE}:
        files["ca"] = str(pki.authority())
    if config.certificate is not None:
        issued = pki.issued(config.certificate)
        files |= {"certificate": str(issued.certificate), "key": str(issued.key)}
    if config.expected_rpk is not None:
        files["expected_rpk"] = str(pki.issued(config.expected_rpk).certificate)
    return files
