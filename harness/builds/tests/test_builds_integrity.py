"""A tarball is used only if its SHA-256 or a signature verifies; gpg makes the keys here."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from harness.builds.integrity import unarmoured, vouch
from harness.builds.programs import command
from harness.model.errors import BuildError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NO_GPG = next((f"it needs {name}, of GnuPG" for name in ("gpg", "gpgv", "gpgconf") if shutil.which(name) is None), None)
needs_gpg = pytest.mark.skipif(NO_GPG is not None, reason=str(NO_GPG))


SECONDS = 20.0


def quiet(_text: str) -> None:
    """Say nothing."""


class Signer:
    """A key of its own, in a folder of its own."""

    def __init__(self, home: Path, name: str) -> None:
        home.mkdir(mode=0o700)
        self.home = home
        self.gpg("--passphrase", "", "--quick-generate-key", f"{name} <{name}@example.org>", "ed25519", "sign", "never")

    def gpg(self, *arguments: str) -> bytes:
        """What gpg prints."""
        argv = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--pinentry-mode", "loopback", *arguments]
        return subprocess.run(argv, check=True, capture_output=True).stdout

    def end(self) -> None:
        """End gpg's agent."""
        command(["gpgconf", "--homedir", str(self.home), "--kill", "all"], SECONDS)

    def keys(self, *, armour: bool) -> Path:
        """A file with the public key."""
        path = self.home / f"keys.{'asc' if armour else 'gpg'}"
        path.write_bytes(self.gpg(*(["--armor"] if armour else []), "--export"))
        return path

    def signature(self, file: Path) -> Path:
        """A detached signature."""
        path = self.home / f"{file.name}.asc"
        path.write_bytes(self.gpg("--armor", "--output", "-", "--detach-sign", str(file)))
        return path


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Signer]]:
    """Signers by name, each made once; their agents end with the module."""
    made: dict[str, Signer] = {}

    def signer(name: str) -> Signer:
        if name not in made:
            made[name] = Signer(tmp_path_factory.mktemp("gpg") / name, name)
        return made[name]

    yield signer
    for one in made.values():
        one.end()


@pytest.fixture
def tarball(tmp_path: Path) -> Path:
    path = tmp_path / "openssl.tar.gz"
    path.write_bytes(b"what is signed")
    return path


def vouched(tarball: Path, signature: Path, keyring: Path) -> list[str]:
    """What is said of a tarball with this signature."""
    said: list[str] = []
    vouch(tarball, None, signature, keyring, said.append)
    return said


@needs_gpg
@pytest.mark.parametrize("armour", [True, False])
def test_a_good_signature_names_its_signer(
    signers: Callable[[str], Signer],
    tarball: Path,
    armour: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    alice = signers("alice")

    assert vouched(tarball, alice.signature(tarball), alice.keys(armour=armour)) == [
        'its signature is good: "alice <alice@example.org>"'
    ]


@needs_gpg
def test_a_tarball_that_has_changed_since_is_not_used(signers: Callable[[str], Signer], tarball: Path) -> None:
    alice = signers("alice")
    signature = alice.signature(tarball)
    tarball.write_bytes(b"something else")

    with pytest.raises(BuildError, match=r"(?s)does not verify.*BAD signature"):
        vouched(tarball, signature, alice.keys(armour=True))


@needs_gpg
def test_a_signature_by_a_key_that_was_not_named_is_none(signers: Callable[[str], Signer], tarball: Path) -> None:
    signature = signers("alice").signature(tarball)

    with pytest.raises(BuildError, match=r"(?s)does not verify.*No public key"):
        vouched(tarball, signature, signers("mallory").keys(armour=True))


def test_a_sha_256_may_be_written_in_capitals(tarball: Path) -> None:
    said: list[str] = []
    vouch(tarball, hashlib.sha256(tarball.read_bytes()).hexdigest().upper(), None, None, said.append)

    assert said == ["its SHA-256 matches"]


def test_a_signature_without_keys_asks_for_them(tarball: Path) -> None:
    with pytest.raises(UsageError, match="--signature needs --keyring"):
        vouch(tarball, None, tarball, None, quiet)


def test_a_signature_that_is_not_there_is_named(tarball: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no .*nothing\.asc"):
        vouch(tarball, None, tmp_path / "nothing.asc", tarball, quiet)


def test_armour_may_have_headers_and_a_checksum() -> None:
    begin, end = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n", b"-----END PGP PUBLIC KEY BLOCK-----\n"

    assert unarmoured(begin + b"Comment: a key\r\n\r\nAAEC\r\nAw==\r\n=njUN\r\n" + end) == bytes(range(4))


def test_damaged_armour_is_said_to_be_damaged() -> None:
    with pytest.raises(UsageError, match="armour is damaged"):
        unarmoured(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAE\n-----END PGP PUBLIC KEY BLOCK-----\n")
