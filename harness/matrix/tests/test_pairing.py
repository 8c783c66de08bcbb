"""Which pairs each `--matrix` makes of the clients and servers of a run; pairwise leaves no end out."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from harness.matrix.cells import Situation, cells
from harness.matrix.pairing import Matrix, Pairing, covering
from harness.model.capability import Capability
from harness.model.errors import UsageError
from harness.model.tls import USUAL_VERSIONS, Role, TLSVersion
from harness.tests.fakes import FakeStack, fake_stack

if TYPE_CHECKING:
    from harness.matrix.cells import Cell
    from harness.model.capability import Abilities
    from harness.stacks.base import Stack

OLD, NEW, NEW_PROGRAM = fake_stack("libssl", "1.1.1w"), fake_stack("libssl", "3.5.7"), fake_stack("openssl", "3.5.7")
STACKS = [OLD, NEW, NEW_PROGRAM]
MANY: list[Stack] = [
    fake_stack(name, version)
    for version, name in product(("1.1.1w", "3.0.20", "3.5.7", "4.0.3"), ("libssl", "openssl"))
]
ONE_VERSION = Situation(versions=(TLSVersion.TLSv1_3,))
VARIED = Situation(server={"tickets": (True, False)})


def pairs(matrix: Matrix, *rivals: Stack) -> set[str]:
    """The pairs that the matrix makes of STACKS, as their cells begin."""
    return {f"{c.label}--{s.label}" for c, s in product(STACKS, STACKS) if matrix.meets(c, s, rivals)}


def label(stack: Stack) -> str:
    """What pairwise meets."""
    return stack.label


def version(stack: Stack) -> str:
    """What versions meets."""
    return stack.build.version


def versions_differ(cell: Cell) -> bool:
    return cell.client_stack.build.version != cell.server_stack.build.version


@pytest.mark.parametrize(
    ("text", "matrix"),
    [
        ("all", Matrix(Pairing.ALL)),
        ("same", Matrix(Pairing.SAME)),
        ("across", Matrix(Pairing.ACROSS)),
        ("pairwise", Matrix(Pairing.PAIRWISE)),
        ("versions", Matrix(Pairing.VERSIONS)),
        ("against=1.1.1w", Matrix(Pairing.AGAINST, "1.1.1w")),
        ("against libssl@3.0", Matrix(Pairing.AGAINST, "libssl@3.0")),
    ],
)
def test_a_matrix_is_read_as_people_write_it(text: str, matrix: Matrix) -> None:
    assert Matrix.parse(text) == matrix


@pytest.mark.parametrize("text", ["", "some", "against", "against=", "same=3.0", "ALL"])
def test_a_matrix_that_is_none_says_what_is_allowed(text: str) -> None:
    with pytest.raises(UsageError, match="it is all, same, across, pairwise, versions, or against=BUILD"):
        Matrix.parse(text)


def test_a_build_without_a_stack_is_meant_on_every_stack() -> None:
    assert Matrix.parse("against=1.1.1w").glob == "*@1.1.1w"
    assert Matrix.parse("against=libssl@1.1.1w").glob == "libssl@1.1.1w"


def test_all_is_every_client_with_every_server() -> None:
    assert len(pairs(Matrix(Pairing.ALL))) == 9


def test_same_is_one_version_at_both_ends_whatever_the_stacks() -> None:
    assert pairs(Matrix(Pairing.SAME)) == {
        "libssl@1.1.1w--libssl@1.1.1w",
        "libssl@3.5.7--libssl@3.5.7",
        "libssl@3.5.7--openssl@3.5.7",
        "openssl@3.5.7--libssl@3.5.7",
        "openssl@3.5.7--openssl@3.5.7",
    }


def test_same_is_one_version_of_the_ends_that_a_cell_goes_over_to_as_well() -> None:
    matrix = Matrix(Pairing.SAME)
    found = cells(Situation(versions=(TLSVersion.TLSv1_3,), second_server=True), STACKS, STACKS, matrix.meets)

    assert {cell.id for cell in found if matrix.goes_over(cell)} == {
        "libssl@3.5.7--libssl@3.5.7-TLSv1.3-then.server=openssl@3.5.7",
        "libssl@3.5.7--openssl@3.5.7-TLSv1.3-then.server=libssl@3.5.7",
        "openssl@3.5.7--libssl@3.5.7-TLSv1.3-then.server=openssl@3.5.7",
        "openssl@3.5.7--openssl@3.5.7-TLSv1.3-then.server=libssl@3.5.7",
    }


def across(situation: Situation, *stacks: Stack) -> set[str]:
    """The cells that ``across`` makes of these stacks."""
    matrix = Matrix(Pairing.ACROSS)
    found = cells(situation, stacks, stacks, matrix.meets, alike=matrix.alike)
    return {cell.id for cell in found if matrix.goes_over(cell)}


def test_across_is_each_version_with_another_one() -> None:
    assert across(ONE_VERSION, *STACKS) == {
        "libssl@1.1.1w--libssl@3.5.7-TLSv1.3",
        "libssl@1.1.1w--openssl@3.5.7-TLSv1.3",
        "libssl@3.5.7--libssl@1.1.1w-TLSv1.3",
        "openssl@3.5.7--libssl@1.1.1w-TLSv1.3",
    }


def test_across_lets_sessions_go_over_between_versions_and_within_each() -> None:
    found = across(Situation(versions=(TLSVersion.TLSv1_3,), second_server=True), OLD, NEW)

    assert len(found) == 8
    assert "libssl@3.5.7--libssl@3.5.7-TLSv1.3-then.server=libssl@1.1.1w" in found
    assert "libssl@3.5.7--libssl@3.5.7-TLSv1.3-then.server=libssl@3.5.7" in found


def test_against_is_one_build_with_each_other_both_ways() -> None:
    assert pairs(Matrix(Pairing.AGAINST, "1.1.1w"), OLD) == {
        "libssl@1.1.1w--libssl@3.5.7",
        "libssl@1.1.1w--openssl@3.5.7",
        "libssl@3.5.7--libssl@1.1.1w",
        "openssl@3.5.7--libssl@1.1.1w",
    }


@pytest.mark.parametrize("tls", USUAL_VERSIONS)
@pytest.mark.parametrize("tickets", [True, False])
@pytest.mark.parametrize("role", Role)
def test_pairwise_meets_each_end_in_each_variant(role: Role, tickets: bool, tls: TLSVersion) -> None:  # noqa: FBT001 - a knob
    chosen = [
        cell for cell in covering(VARIED, MANY, MANY, "x", label) if cell.tls is tls and cell.server.tickets is tickets
    ]

    assert {(cell.client_stack if role is Role.CLIENT else cell.server_stack).label for cell in chosen} == {
        stack.label for stack in MANY
    }


def test_pairwise_takes_ends_of_two_versions() -> None:
    assert all(versions_differ(cell) for cell in covering(VARIED, MANY, MANY, "x", label))


def test_pairwise_takes_few_pairs() -> None:
    assert len(list(cells(ONE_VERSION, MANY, MANY))) == 64
    assert len(covering(ONE_VERSION, MANY, MANY, "x", label)) <= len(MANY) + 1


def test_pairwise_is_the_same_in_each_run_and_other_pairs_in_another_test() -> None:
    assert covering(ONE_VERSION, MANY, MANY, "x", label) == covering(ONE_VERSION, MANY, MANY, "x", label)
    assert covering(ONE_VERSION, MANY, MANY, "x", label) != covering(ONE_VERSION, MANY, MANY, "y", label)


def test_pairwise_takes_one_version_where_there_is_no_other() -> None:
    found = covering(ONE_VERSION, [NEW], [NEW, NEW_PROGRAM], "x", label)

    assert [cell.server_stack for cell in found] == [NEW, NEW_PROGRAM]


def test_pairwise_meets_an_end_by_one_that_can_do_it() -> None:
    unable = fake_stack("openssl", "3.0.20", "counters")
    situation = Situation(versions=(TLSVersion.TLSv1_3,), needs={Role.SERVER: (Capability.COUNTERS,)})

    found = covering(situation, [OLD, NEW], [unable, NEW_PROGRAM], "x", label)

    assert {cell.client_stack.label for cell in found if not cell.unsupported} == {"libssl@1.1.1w", "libssl@3.5.7"}


def test_pairwise_counts_an_end_that_nobody_can_meet() -> None:
    unable = fake_stack("openssl", "3.0.20", "counters")
    situation = Situation(versions=(TLSVersion.TLSv1_3,), needs={Role.SERVER: (Capability.COUNTERS,)})

    found = covering(situation, [OLD, NEW], [unable, NEW_PROGRAM], "x", label)

    assert [bool(cell.unsupported) for cell in found if cell.server_stack is unable] == [True]


@pytest.mark.parametrize("role", Role)
def test_versions_pairs_each_version_once_in_each_role_on_one_stack(role: Role) -> None:
    chosen = covering(ONE_VERSION, MANY, MANY, "x", version)
    ends = [cell.client_stack if role is Role.CLIENT else cell.server_stack for cell in chosen]

    assert {stack.build.version for stack in ends} == {stack.build.version for stack in MANY}
    assert len(chosen) < len(covering(ONE_VERSION, MANY, MANY, "x", label))


def test_versions_takes_each_stack_of_a_version_in_some_test() -> None:
    met = {cell.client_stack.label for seed in "abcdefgh" for cell in covering(ONE_VERSION, MANY, MANY, seed, version)}

    assert met == {stack.label for stack in MANY}


def test_each_end_that_cannot_do_it_is_counted_beside_those_that_can() -> None:
    unable: list[Stack] = [fake_stack("libssl", version, "counters") for version in ("1.0.2r", "1.1.0l")]
    situation = Situation(versions=(TLSVersion.TLSv1_3,), needs={Role.SERVER: (Capability.COUNTERS,)})

    found = covering(situation, MANY, [*MANY, *unable], "x", version)

    assert sorted(cell.unsupported.split()[0] for cell in found if cell.unsupported) == [one.label for one in unable]


def test_one_stack_at_both_ends_is_each_stack_with_itself() -> None:
    situation = Situation(versions=(TLSVersion.TLSv1_3,), same_stack=True)

    found = covering(situation, MANY, MANY, "x", label)

    assert [(cell.client_stack, cell.server_stack) for cell in found] == [(stack, stack) for stack in MANY]


@pytest.mark.parametrize("role", Role)
def test_each_end_is_also_a_second_end(role: Role) -> None:
    situation = Situation(versions=(TLSVersion.TLSv1_3,), second_client=True, second_server=True)

    found = covering(situation, MANY, MANY, "x", label)

    assert {cell.seconds[role].label for cell in found} == {stack.label for stack in MANY}


def test_a_second_server_is_of_the_same_family_if_there_is_one() -> None:
    strangers = [fake_stack("gnutls", "3.7.9", family="gnutls"), fake_stack("wolfssl", "5.5.4", family="wolfssl")]
    situation = Situation(versions=(TLSVersion.TLSv1_3,), second_server=True)

    found = covering(situation, MANY, [strangers[0], *MANY, strangers[1]], "x", label)

    families = {(c.server_stack.build.library.family, c.seconds[Role.SERVER].build.library.family) for c in found}
    assert ("openssl", "openssl") in families
    assert {first for first, second in families if first != second} == {"gnutls", "wolfssl"}
    assert all(bool(c.unsupported) == (c.server_stack in strangers) for c in found)


def test_a_lone_end_has_no_second_one() -> None:
    assert not covering(Situation(second_server=True), MANY, [NEW], "x", label)


def test_the_work_grows_with_the_ends_and_not_with_their_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    many: list[Stack] = [fake_stack("libssl", f"3.0.{patch}") for patch in range(100)]
    asked: list[str] = []
    abilities = FakeStack.abilities

    def counted(stack: FakeStack, role: Role) -> Abilities:
        asked.append(stack.label)
        return abilities(stack, role)

    monkeypatch.setattr(FakeStack, "abilities", counted)

    found = covering(Situation(versions=(TLSVersion.TLSv1_3,), second_client=True), many, many, "x", version)

    assert len(asked) == 2 * len(many)
    assert len(found) <= len(many) + 1
