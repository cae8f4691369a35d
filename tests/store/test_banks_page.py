"""The lines of docs/banks.md run as they stand, and its commands do what it says."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from stimsynth.cli import main
from stimuli_store.bank.reading import open_bank

PAGE = (Path(__file__).parents[2] / "docs" / "banks.md").read_text(encoding="utf-8")
READS, PUBLISHES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    exec(PUBLISHES, {})
    assert capsys.readouterr().out.startswith("study@1.0.0#")
    names: dict[str, object] = {}
    exec(READS, names)
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in printed] == [f"leaf/noise=0.1/seed={n}" for n in (0, 1)]
    assert all(0.08 < float(line.split()[1]) < 0.1 for line in printed)  # clipped here and there
    assert isinstance(names["frame"], np.ndarray)
    command = re.search(r"stimsynth (bank retire .*)", PAGE)
    assert command is not None
    assert main(shlex.split(command[1].replace("BANK.h5", "study-1.0.0.h5"))) == 0
    with_changes = open_bank("study-1.1.0.h5")
    assert with_changes.header.changes == ("retired leaf/noise=0.1/seed=1: a visible edge",)


def test_every_action_is_on_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bank", "--help"])
    actions = re.findall(r"^    ([a-z-]+)(?: {2,}|$)", capsys.readouterr().out, re.MULTILINE)
    assert {"ls", "info", "check", "diff", "add", "replace", "retire"} < set(actions)
    assert {"export", "contact-sheet", "remake", "import"} < set(actions)
    for action in actions:
        assert f"bank {action} " in PAGE or f"bank {action}\n" in PAGE, action
