"""`stimsynth new` writes a study that works as it is, and a build fills the pin in."""

import argparse
import json
from pathlib import Path

import pytest

from experiments import read_design
from stimsynth.banks.plan import read_plan
from stimsynth.cli import main
from stimsynth.commands.new import register, write_study
from stimuli_store.bank.pins import fill_pins
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import InputError
from tests.helpers import tiny_bank


def new(folder: Path) -> int:
    """Run the command by its own parser, which needs no installed entry point."""
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    arguments = parser.parse_args(["new", str(folder)])
    return int(arguments.run(arguments))


def test_it_writes_three_files_and_tells_the_next_steps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new(tmp_path / "leaves") == 0
    said = capsys.readouterr().out
    for name in ("plan.toml", "design.toml", "leaves.ipynb"):
        assert f"{tmp_path / 'leaves' / name}\n" in said
    assert "stimsynth build plan.toml" in said
    assert read_plan(tmp_path / "leaves" / "plan.toml").bank.name == "leaves"
    with pytest.raises(
        InputError, match=r"the pin is empty; `stimsynth build PLAN\.toml` fills it in"
    ):
        read_design(tmp_path / "leaves" / "design.toml")


def test_the_notebook_is_one(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    *_, path = write_study(tmp_path / "leaves")
    nbformat.validate(nbformat.read(path, as_version=4))
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert [cell["cell_type"] for cell in cells].count("code") == 7
    assert "@" not in "".join(line for cell in cells for line in cell["source"])
    assert all("pyplot" not in line for cell in cells for line in cell["source"])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("My study!", "a bank's name must have"),
        ("taken", "not empty; give another"),
        ("analysis", "taken for the package analysis of stimsynth; .* such as my_analysis"),
        ("experiments", "such as my_experiments"),
        ("stimsynth", "such as my_stimsynth"),
        ("stimuli_store", "such as my_stimuli_store"),
    ],
)
def test_wrong_names_are_sentences(name: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=sentence):
        write_study(tmp_path / name)
    assert (tmp_path / name).exists() == (name == "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return tiny_bank(tmp_path_factory.mktemp("bank"))


#: Content of a file beside a plan, and whether the pin is written into it.
BESIDE = {
    "an empty pin": ('[bank]\npath = "{file}"\npin = ""  # note\n', True),
    "in one quote": ("[bank]\n  pin=''\npath = '{file}'\n", True),
    "Windows' line ends": ('[bank]\r\npath = "{file}"\r\npin = ""\r\n', True),
    "a pin that is there": (
        '[bank]\npath = "{file}"\npin = "tiny@1.0.0#0000000000000000"\n',
        False,
    ),
    "another bank": ('[bank]\npath = "other-1.0.0.h5"\npin = ""\n', False),
    "a plan": ('[bank]\nname = "tiny"\nversion = "1.0.0"\n', False),
    "no TOML": ("pin = ", False),
    "a bank that is no table": ('bank = "{file}"\npin = ""\n', False),
    "another encoding": ('# geprüft\n[bank]\npath = "{file}"\npin = ""\n', False),
}


@pytest.mark.parametrize("case", BESIDE)
def test_only_an_empty_pin_of_this_bank_is_filled_in(case: str, bank: Bank) -> None:
    text, wanted = BESIDE[case]
    design = bank.path.parent / "design.toml"
    before = text.format(file=bank.path.name).encode("cp1252")
    design.write_bytes(before)
    assert fill_pins(bank.path.parent, bank) == ((design,) if wanted else ())
    after = design.read_bytes()
    assert (f'"{bank.pin}"'.encode() in after) == wanted
    emptied = after.replace(f'"{bank.pin}"'.encode(), b"''" if "''" in text else b'""')
    assert emptied == before
    assert fill_pins(bank.path.parent, bank) == ()


@pytest.mark.road
def test_the_study_works_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """New, build, run, and the notebook in a fresh kernel, whose cells that draw show a picture."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    study = tmp_path / "leaves"
    new(study)
    monkeypatch.chdir(study)
    assert main(["build", "plan.toml"]) == 0
    assert "design.toml: the pin of this bank is filled in" in capsys.readouterr().out
    words = [
        "run",
        "design.toml",
        "--participant",
        "S01",
        "--simulate",
        "pooling7",
        "--max-trials",
        "9",
    ]
    assert main(words) == 0
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    notebook = nbformat.read(study / "leaves.ipynb", as_version=4)
    where = {"metadata": {"path": str(study)}}
    nbclient.NotebookClient(notebook, resources=where, timeout=300).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 4
    assert len(list((study / "rehearsal").rglob("*.jsonl"))) == 4
    assert len(list((study / "data").rglob("*.jsonl"))) == 1
