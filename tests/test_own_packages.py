"""A laboratory has folders with the names of our packages: ours work, theirs work, and a sentence says so."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: An editable install: a finder that Python asks after all folders. It replaces the one of this environment.
EDITABLE = f"""
import sys
from importlib.machinery import PathFinder

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if path is None and name in ("stimsynth", "stimuli_store", "experiments", "analysis"):
            return PathFinder.find_spec(name, [{str(ROOT)!r}])

sys.meta_path[:] = [f for f in sys.meta_path if "Editable" not in getattr(f, "__name__", "")] + [Finder]
"""
OURS = "from stimsynth import Estimate, Sampling, StimsynthError\n"
USED = """
assert Estimate.__module__ == "analysis.infer.estimates"
assert Sampling.__module__ == "experiments.sampling"
import stimuli_store.errors, analysis.infer.estimates, experiments.interrupts
"""
#: Files of the laboratory, the script, and how many names of folders the warning has.
CASES = {
    "no clash": ({}, OURS + USED, 0),
    "a folder without modules": ({"analysis/data.csv": ""}, OURS + USED, 1),
    "folders of modules": (
        {"analysis/clean.py": "limit = 3", "experiments/first.py": "n = 4"},
        OURS + USED + "from analysis.clean import limit\nfrom experiments.first import n\nassert n > limit",
        2,
    ),
    "a package, imported after ours": (
        {"analysis/__init__.py": "", "analysis/clean.py": "limit = 3"},
        OURS + USED + "from analysis import clean\nassert clean.limit == 3",
        1,
    ),
    "a package, imported before ours": (
        {"analysis/__init__.py": "mine = 1", "analysis/clean.py": "limit = 3"},
        "from analysis import mine\n" + OURS + USED + "import analysis\n"
        "assert analysis.mine == mine\nfrom analysis.clean import limit",
        1,
    ),
    "a package that imports ours itself": (
        {"analysis/__init__.py": "", "analysis/clean.py": OURS + USED + "limit = 3"},
        "from analysis.clean import limit\nassert limit == 3\n" + OURS + USED,
        1,
    ),
    "a package that imports ours while it begins": (
        {"experiments/__init__.py": OURS + USED + "mine = 1"},
        "import experiments\nassert experiments.mine == 1\n" + OURS + USED,
        1,
    ),
    "a module, imported before ours": (
        {"analysis.py": "mine = 1"},
        "import analysis\n" + OURS + USED + "assert analysis.mine == 1",
        1,
    ),
    "a module that was not imported": ({"experiments.py": "raise SystemExit(9)"}, OURS + USED, 1),
    "a module of theirs has a name of ours": (
        {"analysis/__init__.py": "", "analysis/observers.py": "", "analysis/infer.py": "mine = 1"},
        "from analysis.infer import mine\nimport analysis.observers\n" + OURS + USED,
        1,
    ),
    "a folder of banks": ({"stimuli_store/mine-1.0.0.h5": ""}, OURS + USED, 1),
    "the store's name": ({"stimuli_store/__init__.py": ""}, "import stimuli_store\n" + OURS + USED, 1),
    "another package of ours comes first": (
        {"analysis/__init__.py": "", "experiments/clean.py": "limit = 3"},
        "import stimsynth\n" + OURS + USED + "import experiments.clean",
        2,
    ),
}  # fmt: skip
INSTALLS = ("editable", "wheel")


def run_python(
    folder: Path, install: str, arguments: list[str], **more: str
) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, with our packages found as after an install of this kind."""
    site = folder.parent / f"site-{install}"
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(EDITABLE if install == "editable" else "")
    path = str(site) if install == "editable" else f"{site}:{ROOT}"
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin", **more},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    folder = tmp_path / "lab"
    folder.mkdir()
    return folder


def write(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(content))


@pytest.mark.parametrize("install", INSTALLS)
@pytest.mark.parametrize("case", CASES)
def test_ours_and_theirs_work_and_a_sentence_names_the_clash(
    case: str, install: str, lab: Path
) -> None:
    files, script, clashes = CASES[case]
    write(lab, {**files, "script.py": script})
    done = run_python(lab, install, ["script.py"])
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("UserWarning") == min(clashes, 1), done.stderr
    assert done.stderr.count(str(lab / "")) >= clashes
    if clashes:
        assert re.match(rf"{lab}/\S+py:\d: UserWarning", done.stderr)
        assert "of stimsynth, which finds its own all the same; rename yours" in done.stderr


@pytest.mark.parametrize("install", INSTALLS)
def test_a_script_of_this_name_runs_once(install: str, lab: Path) -> None:
    write(lab, {"analysis.py": OURS + USED + "print('once')"})
    done = run_python(lab, install, ["analysis.py"])
    assert (done.returncode, done.stdout) == (0, "once\n"), done.stderr
    assert f"{lab / 'analysis.py'} has the name of a package of stimsynth" in done.stderr


@pytest.mark.parametrize("install", INSTALLS)
@pytest.mark.parametrize(
    "words", [["-m", "stimsynth"], ["-c", "from stimsynth.cli import main; main()"]]
)
def test_commands_work_there(words: list[str], install: str, lab: Path) -> None:
    write(
        lab, {"analysis/a.csv": "", "experiments/__init__.py": "", "stimuli_store/__init__.py": ""}
    )
    done = run_python(lab, install, [*words, "bank", "ls"])
    assert "no banks in" in done.stdout, done.stderr
    assert done.stderr.count("Warning") == 1


@pytest.mark.road
def test_notebooks_work_there(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    write(lab, {"analysis/clean.py": "limit = 3", "experiments/__init__.py": "mine = 1"})
    run_python(lab, "editable", ["-c", ""])  # writes what stands for the install
    monkeypatch.setenv("PYTHONPATH", str(lab.parent / "site-editable"))
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(lab.parent / name))
    cells = ["from experiments import mine", OURS + USED, "from analysis.clean import limit"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    where = {"metadata": {"path": str(lab)}}
    nbclient.NotebookClient(notebook, resources=where, kernel_name="python3", timeout=120).execute()
    said = [output["text"] for cell in notebook.cells for output in cell.outputs]
    assert len(said) == 1
    assert str(lab / "analysis") in said[0]
    assert str(lab / "experiments") in said[0]
