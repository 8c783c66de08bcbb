"""C programs, compiled against a build's own headers and run with its own libraries; skips where there are none."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from harness.model.errors import stretched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.model.build import Build
    from harness.reproduce.story import Story
    from harness.runtime.runtime import Runtime

WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror")
SANITIZERS = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
DEADLINE = 120.0


@dataclass(frozen=True)
class Compiler:
    """A C compiler for one build. ``unavailable`` says why it cannot be, None if it can."""

    build: Build

    @property
    def _usr(self) -> Path:
        """Of ``usr/lib/x86_64-linux-gnu/libssl.so.3``, or of ``PREFIX/lib/libssl.so.3``."""
        libssl = self.build.libssl
        assert libssl is not None
        folder = libssl.resolve().parent
        return folder.parent if folder.name in {"lib", "lib64"} else folder.parent.parent

    @property
    def includes(self) -> list[Path]:
        """The folders of its headers."""
        include = self._usr / "include"
        return [include, *(path.parent for path in include.glob("*/openssl"))]

    @property
    def libraries(self) -> tuple[str, ...]:
        """What it is linked with."""
        libssl = self.build.libssl
        assert libssl is not None
        return f"-L{libssl.parent}", "-lssl", "-lcrypto", "-Wl,--allow-shlib-undefined"

    @property
    def unavailable(self) -> str | None:
        """Why nothing can be compiled for it."""
        if shutil.which("cc") is None:
            return "there is no C compiler `cc`"
        found = [path for path in self.includes if (path / "openssl" / "opensslv.h").is_file()]
        if not found:
            return f"OpenSSL {self.build.version} has no headers here (libssl-dev)"
        numbers = (found[0] / "openssl" / "opensslv.h").read_text()
        if not re.search(rf'"(OpenSSL )?{re.escape(self.build.version)}[ "]', numbers):
            return f"the headers in {found[0]} are not those of OpenSSL {self.build.version}"
        return None

    def compile(self, source: Path, *flags: str, name: str = "reproduce") -> Path:
        """The program, beside its source; AssertionError with what the compiler said unless it said nothing."""
        program = source.with_name(name)
        includes = [f"-I{path}" for path in self.includes]
        argv = ["cc", *WARNINGS, *flags, *includes, "-o", str(program), str(source), *self.libraries]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=stretched(DEADLINE), check=False)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return program

    def run(self, program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The program with this build's libraries, and with its C library where it has one."""
        argv = [str(self.starter(program)), *arguments]
        return subprocess.run(argv, capture_output=True, text=True, timeout=stretched(DEADLINE), check=False)

    def starter(self, program: Path) -> Path:
        """A script that starts the program so, whatever the environment is."""
        loader: Sequence[str] = (self.build.python or ())[:-1]
        given = [f"{name}={value}" for name, value in self.build.environment.items()]
        words = ["env", "-u", "LD_LIBRARY_PATH", *given, *loader, str(program)]
        script = program.with_suffix(".sh")
        script.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        script.chmod(0o700)
        return script


def compiler(build: Build) -> Compiler:
    """The compiler for a build; the test is skipped, with the reason, where there is none."""
    made = Compiler(build)
    if made.unavailable:
        pytest.skip(made.unavailable)
    return made


def lay_out(folder: Path, story: Story, source: str, runtime: Runtime) -> Path:
    """Put a program's source and its certificates into a folder, as `--reproduce` does; the source's path."""
    for name in story.certificates:
        issued = runtime.pki.issued(name)
        shutil.copy(issued.certificate, folder / f"{name}.crt")
        shutil.copy(issued.key, folder / f"{name}.key")
    shutil.copy(runtime.pki.authority(), folder / "authority.pem")
    path = folder / "reproduce.c"
    path.write_text(source)
    return path
