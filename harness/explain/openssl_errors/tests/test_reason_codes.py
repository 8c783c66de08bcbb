"""Each reason code that an OpenSSL at hand knows has words, with the meaning that it has in that version."""

from __future__ import annotations

import itertools
import json
import re
from string import Formatter
from typing import TYPE_CHECKING

import pytest

from harness.builds.programs import command
from harness.builds.store import BuildStore
from harness.builds.system import Missing, build_for
from harness.builds.versions import build_version
from harness.explain.openssl_errors.alerts import MEANINGS
from harness.explain.openssl_errors.areas import AREAS
from harness.explain.openssl_errors.codes import COMMON, COMMON_FLAG, LIBRARIES, code_of, others, table
from harness.model.reason import Question
from harness.model.tls import ALERTS, Role

if TYPE_CHECKING:
    from harness.explain.openssl_errors.codes import Code
    from harness.model.build import Build

LAST = 1500
DEADLINE = 30
ALERT_RECEIVED = range(1000, 1256)
"""What the peer's alert adds to the numbers of the table: SSL_AD_REASON_OFFSET."""
TEXTS = f"""
import ctypes, json, sys
crypto = ctypes.CDLL(sys.argv[1], ctypes.RTLD_GLOBAL)
ssl = ctypes.CDLL(sys.argv[2])
if hasattr(ssl, "OPENSSL_init_ssl"):
    ssl.OPENSSL_init_ssl(ctypes.c_uint64(0x200002), None)
else:
    ssl.SSL_load_error_strings()
text = crypto.ERR_reason_error_string
text.restype, text.argtypes = ctypes.c_char_p, [ctypes.c_ulong]
shift = 23 if hasattr(crypto, "OPENSSL_version_major") else 24
found = {{number: text(20 << shift | number) for number in range(1, {LAST + 1})}}
print(json.dumps({{number: said.decode() for number, said in found.items() if said}}))
"""
"""Prints ERR_reason_error_string of each number of ERR_LIB_SSL (OPENSSL_INIT_LOAD_SSL_STRINGS)."""
PACKAGE = f"""
import json
from cryptography.hazmat.bindings.openssl.binding import Binding
from OpenSSL import SSL
SSL.Context(SSL.SSLv23_METHOD)
lib, ffi = Binding().lib, Binding().ffi
shift = 23 if lib.OpenSSL_version_num() >= 0x30000000 else 24
found = {{number: lib.ERR_reason_error_string(20 << shift | number) for number in range(1, {LAST + 1})}}
print(json.dumps({{number: ffi.string(said).decode() for number, said in found.items() if said}}))
"""
"""The same of the OpenSSL inside cryptography; making a context loads the texts."""
OTHER_TEXTS = {
    158: "at least (D)TLS 1.2 needed in Suite B mode",
    286: "krb5 client cc principal (no tkt?)",
    287: "krb5 client get cred",
    288: "krb5 client init",
    289: "krb5 client mk_req (expired tkt?)",
    290: "krb5 server bad ticket",
    291: "krb5 server init",
    292: "krb5 server rd_req (keytab perms?)",
    293: "krb5 server tkt expired",
    294: "krb5 server tkt not yet valid",
    295: "krb5 server tkt skew",
    324: "digest requred for handshake isn't computed",
    330: "Peer haven't sent GOST certificate, required for selected ciphersuite",
    342: "required compresssion algorithm missing",
    358: "can't find SRP server param",
    361: "error with the srp params",
    376: "no shared sigature algorithms",
    379: "only TLS 1.2 allowed in Suite B mode",
    380: "illegal Suite B digest",
    387: "only DTLS 1.2 allowed in Suite B mode",
}
"""Texts of older versions that are not their macro's name."""
BUILDS: dict[str, Build] = {
    f"{stack}@{build.version}": build
    for stack in ("libssl", "pyopenssl")
    for build in (build_for(stack), *BuildStore().serving(stack).values())
    if not isinstance(build, Missing)
}
CODES = [code for codes in table().values() for code in codes]


def texts(build: Build) -> dict[int, str]:
    program = [str(build.libcrypto), str(build.libssl)] if build.libssl else []
    argv = [*(build.python or ()), "-W", "ignore", "-P", "-c", TEXTS if program else PACKAGE, *program]
    return {int(number): text for number, text in json.loads(command(argv, DEADLINE, build.environment)).items()}


def as_macro(text: str) -> str:
    """The macro that a text is made of."""
    return "SSL_R_" + re.sub(r"\W+", "_", text.upper())


@pytest.mark.parametrize("label", BUILDS)
def test_each_reason_code_of_a_build_has_words_with_its_meaning_there(label: str) -> None:
    build = BUILDS[label]
    known = texts(build)
    own = {number: text for number, text in known.items() if number not in ALERT_RECEIVED}
    codes = {number: code_of(number, build.version) for number in own}
    others = {
        number: (text, codes[number])
        for number, text in own.items()
        if number >= 100 and (codes[number] is None or not names(codes[number], text))
    }

    assert len(own) > 200
    assert [number for number, code in codes.items() if code is None] == []
    assert others == {}


def names(code: Code | None, text: str) -> bool:
    """Whether the text of OpenSSL names this code; SSL3_ in four macros is TLS_ since 4.0."""
    if code is None:
        return False
    macro = as_macro(text)
    return code.macro in {macro, macro.replace("SSL3_", "TLS_")} or OTHER_TEXTS.get(code.number) == text


@pytest.mark.parametrize("number", sorted(table()))
def test_the_meanings_of_a_number_hold_in_different_versions(number: int) -> None:
    spans = [(build_version(code.since), code.before and build_version(code.before)) for code in table()[number]]

    assert all(not before or since < before for since, before in spans)
    assert all(one[1] and one[1] <= next_[0] for one, next_ in itertools.pairwise(spans))


@pytest.mark.parametrize("code", CODES, ids=lambda code: f"{code.number}-{code.macro}")
def test_the_words_of_a_code_name_an_end_and_a_remedy(code: Code) -> None:
    fields = {name for text in (code.what, code.remedy) for _, name, _, _ in Formatter().parse(text) if name}

    assert fields <= {"me", "peer"}
    assert code.reason.question is Question.ABORTED
    assert re.search(r"client|server|end", code.title(Role.CLIENT) + code.help(Role.CLIENT))
    assert not code.what.endswith(".")


@pytest.mark.parametrize("number", sorted(set(ALERTS)))
def test_each_alert_with_a_name_has_words(number: int) -> None:
    assert "the server" in MEANINGS[number].title(Role.SERVER) + MEANINGS[number].help(Role.SERVER)


def test_a_number_with_two_meanings_goes_by_the_version() -> None:
    old, new = code_of(222, "1.0.2q"), code_of(222, "4.0.3")

    assert old is not None
    assert new is not None
    assert (old.macro, new.macro) == ("SSL_R_SSL3_SESSION_ID_TOO_SHORT", "SSL_R_INCONSISTENT_EARLY_DATA_ALPN")
    assert others(new) == (old,)
    assert code_of(222, "1.1.0l") is None


def test_an_unknown_version_takes_the_newest_meaning() -> None:
    code = code_of(294, "")

    assert code is not None
    assert code.macro == "SSL_R_UNEXPECTED_EOF_WHILE_READING"


@pytest.mark.parametrize("number", [*COMMON, *LIBRARIES])
def test_what_all_libraries_have_in_common_has_words(number: int) -> None:
    code = code_of(number if number < 100 else number | COMMON_FLAG, "4.0.3")

    assert code is not None
    assert code.area == "library"


def test_an_unknown_number_has_no_words() -> None:
    assert code_of(998, "4.0.3") is None
    assert code_of(COMMON_FLAG | 200, "4.0.3") is None


def test_each_area_is_used_and_has_its_own_reason() -> None:
    used = {code.area for code in CODES}

    assert used == set(AREAS)
    assert len({area.reason for area in AREAS.values()}) == len(AREAS)
