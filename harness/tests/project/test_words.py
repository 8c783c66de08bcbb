"""The words that a scenario may use load when they are asked for, whatever was imported before."""

from __future__ import annotations

import subprocess
import sys

import pytest

import harness


@pytest.mark.parametrize("word", harness.__all__)
def test_every_word_can_be_imported(word: str) -> None:
    assert getattr(harness, word) is not None


def test_dir_lists_the_words_and_only_them() -> None:
    assert dir(harness) == sorted(harness.__all__)


def test_a_word_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(AttributeError, match="no word 'resumed'; a scenario may use: ABORTED, BOTH"):
        _ = harness.resumed


@pytest.mark.parametrize("before", ["harness.plugin.hooks", "harness.pair.pair"])
def test_scenario_is_the_function_though_a_module_has_its_name(before: str) -> None:
    code = f"import {before}\nfrom harness import scenario\nprint(callable(scenario))"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout == "True\n"


def test_importing_the_package_alone_loads_no_tls_library_and_no_pytest() -> None:
    code = "import sys, harness\nprint([m for m in ('pytest', 'ssl', 'cryptography', 'tlslite') if m in sys.modules])"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout == "[]\n"
