"""The packages beside this one, found before anything else that has their names.

The rules are in ``stimuli_store/tools/own_packages.py``. That file is run by its place, as a folder named
`stimuli_store` in a laboratory may hide it.
"""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path


def find_beside() -> None:
    """Let Python find the packages beside this one first."""
    file = Path(__file__).resolve().parents[1] / "stimuli_store" / "tools" / "own_packages.py"
    spec = spec_from_file_location("stimsynth.own_packages", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    module.find_own_packages()


find_beside()
