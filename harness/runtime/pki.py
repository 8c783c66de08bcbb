"""The certificates of a run, as listed in certs/issued.toml; keys are made for each run, with mode 0600."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from harness.model.errors import UsageError
from harness.runtime.keys import ECDSA, KEYS, RSA, reissued

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import trustme

PLACES = (Path(__file__).parents[1] / "issued.toml", Path(__file__).parents[2] / "certs" / "issued.toml")
"""The path of issued.toml in an installed package and in a checkout."""


@dataclass(frozen=True, slots=True)
class Issued:
    """The PEM files of a certificate chain and of its private key."""

    certificate: Path
    """Its own certificate first."""
    key: Path
    further: Path | None = None
    """The other certificates of the chain alone, for a program that reads the first of a file; None if there are none.
    """


def write_private(path: Path, data: bytes) -> Path:
    """Write a new file that only its owner can read; FileExistsError if there is one."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    return path


def _end(entry: Mapping[str, object]) -> datetime | None:
    minutes = entry.get("minutes")
    return None if minutes is None else datetime.now(UTC) + timedelta(minutes=int(str(minutes)))


def _made_by_trustme(kind: str) -> trustme.KeyType:
    import trustme  # noqa: PLC0415 - it loads while the first agent starts

    return trustme.KeyType.RSA if kind == RSA else trustme.KeyType.ECDSA


class Pki:
    """A certificate authority and the certificates of issued.toml, each made on first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authorities: dict[str, trustme.CA] = {}
        self._issued: dict[str, Issued] = {}
        self._given: Path | None = None
        source = next((place for place in PLACES if place.is_file()), None)
        if source is None:
            raise UsageError(f"no issued.toml at {' or '.join(map(str, PLACES))}; reinstall the harness")
        self._entries: Mapping[str, Mapping[str, object]] = tomllib.loads(source.read_text())

    def trust(self, authority: Path) -> None:
        """Let ``authority()`` be this PEM file, which a user gave."""
        self._given = authority

    def provide(self, name: str, issued: Issued) -> None:
        """Let ``issued(name)`` be these PEM files, which a user gave."""
        self._entries = {**self._entries, name: {}}
        self._issued[name] = issued

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all certificates."""
        return tuple(self._entries)

    def authority(self, name: str = "authority") -> Path:
        """Return the PEM file of a certificate authority, without its key."""
        if self._given and name == "authority":
            return self._given
        path = self._folder / f"{name}.pem"
        if name not in self._authorities:
            import trustme  # noqa: PLC0415 - it loads while the first agent starts

            self._authorities[name] = trustme.CA(organization_name=f"resumption harness {name}")
            self._authorities[name].cert_pem.write_to_path(path)
        return path

    def issued(self, name: str) -> Issued:
        """Return the files of a certificate; UsageError lists the names if there is none with this name."""
        if name not in self._entries:
            raise UsageError(f"no certificate {name!r} in certs/issued.toml; it has: {', '.join(self.names)}")
        if name not in self._issued:
            entry = self._entries[name]
            issuer = str(entry.get("issuer", "authority"))
            self.authority(issuer)
            names = entry["names"]
            if not isinstance(names, list):
                raise UsageError(f"certs/issued.toml: names of {name!r} must be a list of host names or addresses")
            further = (f"name-{number:05}.example" for number in range(int(str(entry.get("further_names", 0)))))
            signer = self._authorities[issuer]
            for _ in range(int(str(entry.get("intermediates", 0)))):
                signer = signer.create_child_ca()
            kind = str(entry.get("key", ECDSA))
            if kind not in KEYS:
                raise UsageError(f"certs/issued.toml: key of {name!r} is {kind!r}; it can be {', '.join(KEYS)}")
            leaf = signer.issue_cert(
                *names,
                *further,
                common_name=str(entry.get("common_name", name)),
                not_after=_end(entry),
                key_type=_made_by_trustme(kind),
            )
            own, secret = leaf.cert_chain_pems[0].bytes(), leaf.private_key_pem.bytes()
            if kind not in {ECDSA, RSA}:
                own, secret = reissued(leaf, signer, kind)
            others = b"".join(blob.bytes() for blob in leaf.cert_chain_pems[1:])
            certificate = write_private(self._folder / f"{name}.crt", own + others)
            key = write_private(self._folder / f"{name}.key", secret)
            beside = write_private(self._folder / f"{name}.chain", others) if others else None
            self._issued[name] = Issued(certificate, key, beside)
        return self._issued[name]

    def pem_files(self, names: Sequence[str]) -> dict[str, bytes]:
        """Return the content of the PEM files of the authority, these certificates and their keys, by file name."""
        files = {"authority.pem": self.authority().read_bytes()}
        for name in names:
            issued = self.issued(name)
            files |= {f"{name}.crt": issued.certificate.read_bytes(), f"{name}.key": issued.key.read_bytes()}
        return files
