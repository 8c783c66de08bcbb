"""Wireshark's tshark: the machine's own, or Debian's, unpacked into the cache without root; and what it reads."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from harness.builds.cache import default_folder
from harness.builds.programs import command
from harness.builds.providers import apt
from harness.builds.providers.apt import Apt
from harness.builds.providers.debian import foreign_loader
from harness.model.errors import BuildError
from harness.wire.names import HANDSHAKES

if TYPE_CHECKING:
    from collections.abc import Sequence

FETCH = "RESUMPTION_FETCH_TSHARK"
"""Set in the environment, it asks for Debian's though the machine has one."""
SUITE = "bookworm"
PACKAGES = """
    tshark libwireshark16 libwiretap13 libwsutil14 libbrotli1 libc-ares2 libcap2 libcom-err2 libdbus-1-3 libffi8
    libgcrypt20 libglib2.0-0 libgmp10 libgnutls30 libgpg-error0 libhogweed6 libicu72 libidn2-0 libk5crypto3 libkeyutils1
    libkrb5-3 libkrb5support0 liblua5.2-0 liblz4-1 liblzma5 libnettle8 libnghttp2-14 libp11-kit0 libpcap0.8
    libpcre2-8-0 libsmi2ldbl libsnappy1v5 libstdc++6 libsystemd0 libtasn1-6 libunistring2 libxml2 libzstd1 zlib1g
"""
"""What ldd names. 38 MB to fetch, 175 MB unpacked."""
C_LIBRARY = ("libc6", "libgcc-s1")
"""Used only where the machine's own is older."""
SECONDS = 120.0
FIELDS = (
    "frame.number",
    "frame.protocols",
    "frame.comment",
    "ip.src",
    "tcp.stream",
    "tcp.len",
    "ip.checksum.status",
    "tcp.checksum.status",
    "tls.handshake.type",
    "tls.handshake.session_ticket",
    "tls.alert_message.desc",
    "data.data",
    "_ws.expert.severity",
    "_ws.expert.message",
)
GOOD = "1"
"""A checksum's status."""
WARNING = 0x600000
"""The severity of an expert's remark from which on it is a complaint (epan/proto.h, PI_WARN)."""
PREFERENCES = ("-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE")


@dataclass(frozen=True)
class Frame:
    """What tshark makes of one packet: the values of each field, in order."""

    fields: dict[str, list[str]]

    def __getitem__(self, name: str) -> list[str]:
        return self.fields.get(name, [])

    @property
    def complaints(self) -> list[str]:
        """The experts' warnings and errors."""
        remarks = zip(self["_ws.expert.severity"], self["_ws.expert.message"], strict=True)
        return [message for severity, message in remarks if int(severity) >= WARNING]


def values(frames: Sequence[Frame], field: str, stream: int | None = None) -> list[str]:
    """The values of a field, of one stream or of all."""
    return [v for frame in frames if stream is None or frame["tcp.stream"] == [str(stream)] for v in frame[field]]


def handshake(frames: Sequence[Frame], stream: int | None = None) -> list[str]:
    """The names of the handshake messages, as HANDSHAKES has them."""
    return [HANDSHAKES[int(number)] for number in values(frames, "tls.handshake.type", stream)]


@dataclass(frozen=True)
class Tshark:
    """A tshark that can be run."""

    argv: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)

    def read(self, content: bytes) -> list[Frame]:
        """Every packet of a capture, as somebody sees it who never set up Wireshark."""
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "capture.pcapng"
            path.write_bytes(content)
            asked = [part for name in FIELDS for part in ("-e", name)]
            home = {"HOME": name, "XDG_CONFIG_HOME": name}
            argv = (*self.argv, "-n", "-r", str(path), *PREFERENCES, "-T", "json", *asked)
            said = command(argv, SECONDS, {**self.environment, **home})
        frames = json.loads(said[said.index("[") :])  # to root, it says first that this is dangerous
        return [Frame(frame["_source"]["layers"]) for frame in frames]


def found() -> Tshark | str:
    """The machine's tshark, else Debian's; the reason if neither can be had."""
    own = shutil.which("tshark")
    if own and FETCH not in os.environ:
        return Tshark((own,))
    if reason := apt.unserved():
        return f"no tshark here: {reason}"
    try:
        return fetched(default_folder())
    except BuildError as error:
        if "does not answer" in str(error):
            return f"no tshark here, and it cannot be fetched: {error}"
        raise


def fetched(cache: Path) -> Tshark:
    """Debian's, fetched once; BuildError if that cannot be done."""
    place = cache / f".tshark-{SUITE}"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{place.name}.lock"):
        if not place.is_dir():
            with tempfile.TemporaryDirectory(dir=cache, prefix=f"{place.name}.") as part:
                _unpack([*PACKAGES.split(), *C_LIBRARY], cache / ".apt", Path(part))
                (Path(part) / "whole").rename(place)
    libraries = [next(place.glob(f"root/{usr}lib/*-linux-gnu")) for usr in ("usr/", "")]
    start = foreign_loader(place / "c", libraries[0])
    path = os.pathsep.join(map(str, libraries))
    return Tshark((*start, str(place / "root/usr/bin/tshark")), {"LD_LIBRARY_PATH": path})


def _unpack(packages: Sequence[str], indexes: Path, part: Path) -> None:
    debs, whole = part / "debs", part / "whole"
    debs.mkdir()
    whole.mkdir()
    indexes.mkdir(exist_ok=True)
    with FileLock(indexes / "lock"):
        archives = Apt(indexes, None).download([SUITE], [f"{name}/{SUITE}" for name in packages], debs)
    for deb in archives:
        name, version, _architecture = deb.name.split("_")
        root = whole / ("c" if name in C_LIBRARY else "root")
        command(["dpkg-deb", "--extract", str(deb), str(root)], SECONDS)
        if name == "libc6":
            (root / "version").write_text(version.partition("-")[0])
