"""Downloads Debian packages of any suite through apt with its own configuration; needs no root and installs nothing.

apt verifies the archive's signature of every index and package, as it does for the machine itself. An old index is not
an error: old OpenSSLs are the point, and some mirrors are frozen.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from harness.builds.programs import CommandError, command
from harness.model.errors import BuildError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

DEADLINE = 600.0
"""Seconds to download the indexes, and again the packages."""
QUICK = 20.0
"""Seconds for an apt command that needs no network."""
KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.pgp", "/usr/share/keyrings/debian-archive-keyring.gpg")
"""From the package debian-archive-keyring. Without it, apt uses the keys that this machine trusts."""
CONFIGURATION = """
Dir::State "{folder}/state";
Dir::State::Lists "{folder}/lists";
Dir::State::status "/dev/null";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Get::List-Cleanup "false";
APT::Get::AllowUnauthenticated "false";
APT::Sandbox::User "root";
Acquire::AllowInsecureRepositories "false";
Acquire::Check-Valid-Until "false";
Acquire::GzipIndexes "true";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
"""
"""See apt.conf(5). The machine's configuration is not read, because its hooks would run; only proxies are copied."""


def unserved() -> str | None:
    """Return why apt cannot be used on this machine, or None."""
    absent = [name for name in ("apt-get", "dpkg-deb") if shutil.which(name) is None]
    if absent:
        return (
            f"it needs {' and '.join(absent)} of Debian or one of its children; "
            "the providers system, prefix, wheel, cryptography and source need none"
        )
    return None


def machine_mirror() -> str:
    """Return the address of Debian's archive in the machine's apt configuration; UsageError if there is none."""
    form = "$(ORIGIN)|$(LABEL)|$(REPO_URI)"
    rows = [row.split("|") for row in command(["apt-get", "indextargets", "--format", form], QUICK).split("\n") if row]
    for origin, label, uri in rows:
        if origin == label == "Debian":
            return uri.rstrip("/")
    for _origin, _label, uri in rows:  # before the first `apt-get update`, no index names its origin
        if uri.rstrip("/").endswith("/debian"):
            return uri.rstrip("/")
    raise UsageError(
        "the machine's apt configuration names no Debian archive; name a mirror: --mirror URI, or RESUMPTION_MIRROR"
    )


class Apt:
    """A folder of indexes that suites share; the caller must ensure that one process at a time uses it."""

    def __init__(self, folder: Path, mirror: str | None) -> None:
        self._folder = folder
        self._mirror = mirror

    def download(self, suites: Sequence[str], packages: Sequence[str], into: Path) -> list[Path]:
        """Fetch the indexes of the suites, then these packages; BuildError names the mirror that failed."""
        mirror = self._mirror or machine_mirror()
        folder = self._folder.absolute()
        for name in ("state", "lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        configuration = folder / "apt.conf"
        configuration.write_text(CONFIGURATION.format(folder=folder) + _proxies())
        keyring = next((path for path in KEYRINGS if Path(path).is_file()), None)
        signed = f"[signed-by={keyring}] " if keyring else ""
        (folder / "sources.list").write_text("".join(f"deb {signed}{mirror} {suite} main\n" for suite in suites))
        environment = {"APT_CONFIG": str(configuration), "LC_ALL": "C"}
        where = f"the Debian mirror {mirror}"
        try:
            said = command(["apt-get", "update", "--quiet", "--error-on=any"], DEADLINE, environment)
        except CommandError as error:
            raise BuildError(_why(where, suites, error)) from error
        if re.search(r"^(W|E): .*(signature|not signed|NO_PUBKEY)", said, re.MULTILINE):
            raise BuildError(f"{where} has no signature that can be checked; it is not used\n{said.strip()}")
        try:
            command(["apt-get", "download", "--quiet", *packages], DEADLINE, environment, into)
        except CommandError as error:
            raise BuildError(f"{where} does not have {' '.join(packages)} of {suites[-1]}: {error}") from error
        return sorted(into.glob("*.deb"))


def _proxies() -> str:
    """Return the lines of the machine's configuration about proxies and IP versions."""
    lines = command(["apt-config", "dump"], QUICK).splitlines()
    wanted = re.compile(r"Acquire::(https?|ftp)::|Acquire::ForceIPv")
    return "".join(f"{line}\n" for line in lines if wanted.match(line) and "Timeout" not in line)


def _why(where: str, suites: Sequence[str], error: CommandError) -> str:
    said = error.output
    if re.search(r"NO_PUBKEY|not signed|signature|Signed-By", said):
        advice = "its signature cannot be checked; it is not used. Is debian-archive-keyring installed?"
    elif re.search(r"Hash Sum mismatch|File has unexpected size", said):
        advice = "a package differs from its signed index; try later, or name another mirror: --mirror URI"
    else:
        advice = (
            "it does not answer, or has no such suite; name another mirror: --mirror URI. "
            "Cached builds need no mirror: `resumption builds` lists them"
        )
    return f"{where} ({', '.join(suites)}): {advice}\n{error}"
