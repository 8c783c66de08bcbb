"""A run's shard is read from what schedulers set, and every wrong value is one clear error."""

from __future__ import annotations

import pytest

from harness.cli.runs.shards import named_shard, unsharded
from harness.model.errors import UsageError

SLURM = {"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_COUNT": "4"}


@pytest.mark.parametrize(
    ("environment", "number", "count"),
    [
        ({"RESUMPTION_SHARD": "1/3"}, 1, 3),
        ({"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "5"}, 2, 5),
        (SLURM | {"SLURM_ARRAY_TASK_ID": "3"}, 1, 4),
        (SLURM | {"SLURM_ARRAY_TASK_ID": "6"}, 4, 4),
        (SLURM | {"SLURM_ARRAY_TASK_STEP": "4"}, 2, 4),
        ({"JOB_COMPLETION_INDEX": "0", "RESUMPTION_SHARDS": "3"}, 1, 3),
        ({"RESUMPTION_SHARD": "3/3", "CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "2"}, 3, 3),
    ],
)
def test_a_scheduler_names_the_shard(environment: dict[str, str], number: int, count: int) -> None:
    shard = named_shard(environment, ["-x"])

    assert shard is not None
    assert shard.arguments == [f"--splits={count}", f"--group={number}"]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"RESUMPTION_SHARD": ""},
        {"CI_NODE_TOTAL": "1"},
        {"CI_NODE_TOTAL": ""},
        {"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "1"},
        {"JOB_COMPLETION_INDEX": "1"},
        {"RESUMPTION_SHARD": "1/1", "CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "5"},
    ],
)
def test_all_cells_run_where_there_are_no_shards(environment: dict[str, str]) -> None:
    assert named_shard(environment, []) is None


@pytest.mark.parametrize("argument", ["--splits", "--splits=2", "--group=1"])
def test_arguments_come_before_the_environment(argument: str) -> None:
    assert named_shard({"RESUMPTION_SHARD": "1/3"}, [argument]) is None


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"RESUMPTION_SHARD": "4/3"}, "RESUMPTION_SHARD cannot be '4/3'; give NUMBER/COUNT, such as 1/3"),
        ({"RESUMPTION_SHARD": "0/3"}, "RESUMPTION_SHARD cannot be '0/3'"),
        ({"RESUMPTION_SHARD": "1/0"}, "RESUMPTION_SHARD cannot be '1/0'"),
        ({"RESUMPTION_SHARD": f"1/{10**22}"}, f"RESUMPTION_SHARD ask for {10**22} shards; a run has at most 100000"),
        ({"RESUMPTION_SHARD": f"1/{'9' * 5000}"}, "RESUMPTION_SHARD cannot be '1/999"),
        ({"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "9" * 5000}, "CI_NODE_TOTAL cannot be '999"),
        ({"RESUMPTION_SHARD": "one"}, "RESUMPTION_SHARD cannot be 'one'"),
        ({"RESUMPTION_SHARD": "\u0661/3"}, "RESUMPTION_SHARD cannot be"),
        ({"CI_NODE_INDEX": "1"}, "CI_NODE_TOTAL is not set"),
        ({"CI_NODE_TOTAL": "3"}, "CI_NODE_INDEX is not set"),
        ({"CI_NODE_INDEX": "", "CI_NODE_TOTAL": "3"}, "CI_NODE_INDEX is not set"),
        ({"CI_NODE_INDEX": "0", "CI_NODE_TOTAL": "3"}, "ask for shard 0 of 3; there are only shards 1 to 3"),
        ({"RESUMPTION_SHARDS": "0", "JOB_COMPLETION_INDEX": "0"}, "ask for shard 1 of 0; there is at least one"),
        ({"CI_NODE_INDEX": "x", "CI_NODE_TOTAL": "2"}, "CI_NODE_INDEX cannot be 'x'; it must be a whole number"),
        ({"CI_NODE_INDEX": "3", "CI_NODE_TOTAL": "2"}, "ask for shard 3 of 2; there are only shards 1 to 2"),
        (SLURM | {"SLURM_ARRAY_TASK_COUNT": ""}, "SLURM_ARRAY_TASK_COUNT is not set"),
        (SLURM, "ask for shard 5 of 4"),
        (SLURM | {"SLURM_ARRAY_TASK_ID": "1"}, "ask for shard -1 of 4"),
        ({"RESUMPTION_SHARDS": "3"}, "JOB_COMPLETION_INDEX is not set"),
        ({"RESUMPTION_SHARDS": "3", "JOB_COMPLETION_INDEX": "3"}, "ask for shard 4 of 3"),
    ],
)
def test_a_wrong_value_is_one_clear_error(environment: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        named_shard(environment, [])


@pytest.mark.parametrize(
    ("environment", "noted"),
    [
        ({"JOB_COMPLETION_INDEX": "0"}, True),
        ({"JOB_COMPLETION_INDEX": "0", "RESUMPTION_SHARD": "1/1"}, False),
        ({"JOB_COMPLETION_INDEX": "0", "RESUMPTION_SHARDS": "1"}, False),
        ({}, False),
    ],
)
def test_a_pod_that_runs_all_cells_says_so(environment: dict[str, str], *, noted: bool) -> None:
    assert unsharded(environment, named_shard(environment, [])).startswith("all cells, although JOB_") is noted
