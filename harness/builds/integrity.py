"""Verifies a tarball by its SHA-256 or by a detached signature with a key that the user names."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import tempfile
from typing import TYPE_CHECKING

from harness.builds.programs import CommandError, command
from harness.model.errors import BuildError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.builds.provider import Say

DEADLINE = 60.0
"""Seconds that gpgv may take."""


def vouch(origin: Path, sha256: str | None, signature: Path | None, keyring: Path | None, say: Say) -> None:
    """Check the SHA-256 or the signature of a tarball; UsageError if there is neither."""
    if sha256 is None and signature is None:
        raise UsageError(
            f"{origin} cannot be verified: give --sha256 HEX, or --signature FILE with --keyring FILE, "
            "which holds the trusted keys"
        )
    if sha256 is not None:
        found = hashlib.sha256(origin.read_bytes()).hexdigest()
        if found != sha256.lower():
            raise BuildError(f"the SHA-256 of {origin} is {found} and must be {sha256}; it is not used")
        say("its SHA-256 matches")
    if signature is not None:
        if keyring is None:
            raise UsageError("--signature needs --keyring FILE, with the trusted keys")
        said = _verified(origin, signature, keyring)
        say(f"its signature is good: {said}")


def _verified(origin: Path, signature: Path, keyring: Path) -> str:
    """Return the signer as gpgv names it; BuildError if the signature is not by a key of the keyring, or is invalid."""
    absent = [path for path in (signature, keyring) if not path.is_file()]
    if absent:
        raise UsageError(f"there is no {absent[0]}")
    with tempfile.NamedTemporaryFile(suffix=".gpg") as keys:
        keys.write(unarmoured(keyring.read_bytes()))
        keys.flush()
        try:
            said = command(["gpgv", "--keyring", keys.name, str(signature), str(origin)], DEADLINE, {"LC_ALL": "C"})
        except CommandError as error:
            raise BuildError(f"the signature {signature} does not verify {origin}; it is not used: {error}") from error
    good = [line.partition("Good signature from ")[2] for line in said.splitlines() if "Good signature from" in line]
    return ", ".join(good)


def unarmoured(keys: bytes) -> bytes:
    """Return keys as OpenPGP packets, the only form that gpgv takes, without ASCII armour (RFC 9580, 6.2)."""
    text = keys.decode("latin-1")
    blocks = re.findall(r"-----BEGIN PGP PUBLIC KEY BLOCK-----(.*?)-----END", text.replace("\r", ""), re.DOTALL)
    if not blocks:
        return keys
    try:
        # An empty line follows the headers, then base64; a line that starts with = is the checksum.
        bodies = [re.sub(r"^=.*$", "", block.partition("\n\n")[2], flags=re.MULTILINE) for block in blocks]
        return b"".join(base64.b64decode("".join(body.split()), validate=True) for body in bodies)
    except binascii.Error as error:
        raise UsageError(f"the keyring's ASCII armour is damaged: {error}") from error
