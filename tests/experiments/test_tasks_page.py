"""The page ``docs/tasks.md`` says what is true: its tables name every task and comparison, its TOML loads."""

import re
import tomllib
from pathlib import Path

import pytest

from experiments.comparisons import COMPARISONS
from experiments.screen import Screen
from experiments.task_choice import TaskChoice, resolved
from stimuli_store.records.convert import from_json
from stimuli_store.tasks import ALIASES, TASKS

PAGE = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text(encoding="utf-8")
BLOCKS = [tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)]


@pytest.mark.parametrize("choice", [block["task"] for block in BLOCKS if "task" in block])
def test_a_task_of_the_page_can_be_run(choice: dict[str, object]) -> None:
    task, rule = resolved(from_json(TaskChoice, choice))
    assert task.name == choice["name"]
    assert rule == task.rules[0]


@pytest.mark.parametrize("screen", [block["screen"] for block in BLOCKS if "screen" in block])
def test_a_screen_of_the_page_is_one(screen: dict[str, object]) -> None:
    assert from_json(Screen, screen).verify == screen["verify"]


def test_the_tables_name_everything_and_the_right_rules() -> None:
    rows = [line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("| `")]
    tasks = {cells[0].split("`")[1]: cells[-1] for cells in rows if len(cells) == 4}
    families = {re.sub(r"(^)\d+(afc)|-\d+$", r"\1\2", name) for name in TASKS}
    assert {re.sub(r"^\d+(afc)", r"\1", name) for name in tasks} == families
    for name, rules in tasks.items():
        said = [rule.strip() for rule in rules.split(",")]
        assert tuple(rule for rule in said if rule != "with a criterion") == TASKS[name].rules
        assert ("with a criterion" in said) == TASKS[name].criterion
    assert {cells[0].strip(" `") for cells in rows if len(cells) == 3} == set(COMPARISONS)
    assert all(f"`{name}`" in PAGE for name in ALIASES)
