"""Which packages a machine needs: every layer is imported where the others' extras are missing."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCKED = """
import importlib, pkgutil, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError(name + " is not on this machine")

sys.meta_path.insert(0, Refuse())
for package in {packages!r}:
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, package + "."):
        if not module.name.startswith({skip!r}) and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
loaded = {blocked!r} & {{name.partition(".")[0] for name in sys.modules}}
assert not loaded, loaded
"""
MACHINES = {
    # role: (packages it imports whole, what is not installed there, modules that belong to others)
    "store": (["stimuli_store"], {"torch", "psychopy", "pandas", "matplotlib"}, ("-",)),
    "booth": (["experiments"], {"torch", "pandas", "matplotlib", "pyrtools"}, ("-",)),
    "booth without a screen": (["experiments"], {"torch", "psychopy", "pandas"}, ("-",)),
    "cluster": (["stimsynth"], {"psychopy", "pandas", "matplotlib"}, ("-",)),
    "notebook": (["analysis"], {"torch", "psychopy"}, ("-",)),
    "booth's part of analysis": (["stimuli_store"], {"torch", "pandas", "matplotlib"}, ("-",)),
}


@pytest.mark.parametrize("role", MACHINES)
def test_every_module_imports_where_it_belongs(role: str) -> None:
    packages, blocked, skip = MACHINES[role]
    code = BLOCKED.format(blocked=blocked, packages=packages, skip=skip)
    if role == "booth's part of analysis":
        code += "\nimport analysis.observers.sdt, analysis.observers.model_observer"
        code += "\nassert not {'torch', 'pandas', 'matplotlib'} & set(sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("package", "never"),
    [
        ("stimuli_store", {"torch", "psychopy", "pandas", "matplotlib"}),
        ("experiments", {"torch", "psychopy", "pandas", "matplotlib"}),
        ("experiments.session", {"torch", "psychopy", "pandas", "matplotlib"}),
        ("stimsynth", {"torch", "psychopy", "pandas", "matplotlib", "numpy"} - {"numpy"}),
        ("stimsynth.cli", {"torch", "psychopy", "pandas", "matplotlib", "scipy"}),
        ("stimsynth.banks.build", {"psychopy", "pandas", "matplotlib"}),
        ("analysis", {"torch", "psychopy", "pandas", "matplotlib"}),
        ("analysis.report.write", {"torch", "psychopy"}),
    ],
)
def test_importing_loads_nothing_heavy(package: str, never: set[str]) -> None:
    code = f"import sys, {package}; print(' '.join({never!r} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == []


def test_the_layers_hold() -> None:
    """The contracts of .importlinter, as the linter itself sees them."""
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_help_lists_every_command_and_is_quick_to_load() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "stimsynth", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for command in ("demo", "build", "bank", "run", "analyse", "doctor"):
        assert f"\n    {command} " in result.stdout
