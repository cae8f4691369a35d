"""What a model is known by, and what of our own code counts: an edit that can change a pixel changes keys."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from stimsynth.banks.build import build
from stimsynth.banks.code_identity import (
    CANNOT_CHANGE_A_PIXEL,
    OF_THE_STORE,
    bare_source,
    can_change_a_pixel,
)
from stimsynth.banks.plan import plan_from
from stimsynth.banks.work import Work, prepare
from stimuli_store.errors import BankExists, InputError
from tests import fresh
from tests.synth.every_kind import HELPER, MODELS, SETS

ROOT = Path(__file__).parents[2]


def plan(models: Mapping[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    mine = {"use": "models.py:retina", "params": {"sigma": 1.5}}
    return {
        "bank": {"name": "own", "version": "1.0.0", "license": "CC0-1.0"},
        "targets": {"images": ["camera"], "size": 32},
        "models": {"mine": mine} if models is None else models,
        "sets": [
            {"kind": "metamer", "model": "mine", "max_iter": 2, "grid": "rounded", **settings}
        ],
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "helper.py").write_text(HELPER)
    (tmp_path / "models.py").write_text(MODELS)
    return tmp_path


def work_in(folder: Path, table: Mapping[str, Any] | None = None, **models: Any) -> Work:
    return prepare(plan_from(table or plan()), folder, models=models)


def keys(work: Work) -> list[str]:
    return [batch.key for batch in work.batches]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


# -- models of one's own ---------------------------------------------------------------------------

SAME: Mapping[str, tuple[str, str, str]] = {
    "comment": ("models.py", "import helper\n", "import helper  # of ours\n"),
    "comment in a helper": ("helper.py", "class Square", "# squares\nclass Square"),
    "docstring": ("models.py", '"""Two models of one\'s own."""', '"""Others\nthan before."""'),
    "new docstring": ("helper.py", "(self, image):\n", '(self, image):\n        """Square."""\n'),
    "blank lines": ("helper.py", "from torch", "\n\n\nfrom torch"),
    "spaces at the end of a line": ("models.py", "import torch\n", "import torch   \n"),
}
OTHER: Mapping[str, tuple[str, str, str]] = {
    "default": ("models.py", "sigma: float = 1.5", "sigma: float = 1.75"),
    "constant": ("models.py", "Gaussian(9", "Gaussian(7"),
    "forward in a helper": ("helper.py", "image * image", "image.abs() * image"),
    "another model of the file": ("models.py", "/ 5", "/ 4"),
}


@pytest.mark.parametrize("case", SAME)
def test_an_edit_that_changes_nothing_keeps_the_keys(folder: Path, case: str) -> None:
    before = keys(work_in(folder))
    edit(folder / SAME[case][0], *SAME[case][1:])
    assert keys(work_in(folder)) == before


@pytest.mark.parametrize("case", OTHER)
def test_an_edit_that_may_change_a_pixel_changes_the_keys(folder: Path, case: str) -> None:
    before = keys(work_in(folder))
    edit(folder / OTHER[case][0], *OTHER[case][1:])
    assert not set(keys(work_in(folder))) & set(before)


def test_a_parameter_a_layer_and_a_weight_change_the_keys(folder: Path) -> None:
    def deep(**settings: Any) -> list[str]:
        models = {"mine": {"use": "models.py:network", "channels": 3, "layer": "0", **settings}}
        return keys(work_in(folder, plan(models)))

    network = nn.Sequential(nn.Conv2d(3, 4, 5), nn.ReLU(), nn.Conv2d(4, 4, 5))
    torch.save(network.state_dict(), folder / "one.pt")
    network[0].weight.data[0, 0, 0, 0] += 0.01
    torch.save(network.state_dict(), folder / "two.pt")
    found = [
        deep(),
        deep(layer="1"),
        deep(mean=[0.5, 0.5, 0.5], std=[0.25, 0.25, 0.25]),
        deep(weights="one.pt"),
        deep(weights="two.pt"),
        keys(work_in(folder, plan({"mine": {"use": "models.py:retina", "params": {"sigma": 1}}}))),
        keys(work_in(folder, plan({"mine": {"use": "models.py:retina", "params": {"sigma": 2}}}))),
    ]
    assert len({tuple(one) for one in found}) == len(found)
    shutil.copy(folder / "one.pt", folder / "again.pt")
    assert deep(weights="again.pt") == deep(weights="one.pt")


def test_a_model_of_one_s_own_goes_into_a_bank_with_all_that_identifies_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    bank = build(plan(), folder)
    (model,) = {m.label: m for r in bank.records for m in r.models.values()}.values()
    assert model.name == "models.py:retina"
    assert model.params == {"sigma": 1.5}
    assert set(model.sources) == {"models.py", "helper.py"}
    # Those of other plans, imported before under the same names, are none of it.
    assert len(model.probe) == 9
    assert len(model.weights_sha256) == 64
    assert not list(folder.rglob("__pycache__"))


class Negative(nn.Module):
    """A model that is given in Python."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the negative of an image."""
        return 1 - image


def test_factories_given_in_python(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    bank = build(plan({}), folder, models={"mine": Negative})
    (model,) = {m.label: m for r in bank.records for m in r.models.values()}.values()
    assert model.name == f"{__name__}:Negative"
    assert any(name.endswith(Path(__file__).name) for name in model.sources)
    with pytest.raises(InputError, match="mine is a module; give a function that makes it"):
        work_in(folder, plan({}), mine=Negative())


class Gain(nn.Module):
    """A model whose argument is neither a weight nor in its source."""

    def __init__(self, gain: float) -> None:
        super().__init__()
        self.gain = gain

    def forward(self, image: Tensor) -> Tensor:
        return avg_pool2d((self.gain * image).tanh(), 4)


def test_arguments_of_a_partial_are_params_of_its_model(folder: Path) -> None:
    table = plan({})
    table["sets"] = [{**table["sets"][0], "model": label} for label in ("one", "two")]
    gains = {"one": partial(Gain, gain=1.0), "two": partial(Gain, gain=2.0)}
    refs = [s.members[0].models["model"] for s in work_in(folder, table, **gains).sets]
    assert [ref.name for ref in refs] == [f"{__name__}:Gain"] * 2
    assert [ref.params for ref in refs] == [{"gain": 1.0}, {"gain": 2.0}]


def test_a_bank_of_a_model_with_another_output_is_not_returned(folder: Path) -> None:
    """A value in the closure of a function is in no key; the function's output tells it."""

    def of_gain(gain: float) -> Any:
        return lambda: Gain(gain)

    table = plan({}) | {"predict": {"models": ["mine"]}}
    first = build(table, folder, models={"mine": of_gain(1.0)})
    assert build(table, folder, models={"mine": of_gain(1.0)}).pin == first.pin
    with pytest.raises(BankExists, match="another mine, of the same code and weights"):
        build(table, folder, models={"mine": of_gain(2.0)})
    two = table | {"sets": [{**table["sets"][0], "model": label} for label in ("one", "two")]}
    with pytest.raises(InputError, match="one by all that a bank records of them"):
        work_in(folder, two, mine=of_gain(0.0), one=of_gain(1.0), two=of_gain(2.0))


def test_factories_under_a_metric_s_name_are_used_and_others_are_named(folder: Path) -> None:
    mad = plan({}, kind="mad", metrics=["ssim", "nlpd"], level={"noise": [0.05]})
    del mad["sets"][0]["model"]
    mad["targets"]["size"] = 48  # NLPD takes no smaller ones than 33
    (group,) = work_in(folder, mad, ssim=Negative).sets
    assert group.members[0].models["metric_1"].name == f"{__name__}:Negative"
    with pytest.raises(InputError, match="unknown model or metric 'mime'; did you mean 'mine'"):
        work_in(folder, plan(), mime=Negative)


def test_a_factory_given_in_python_keeps_its_module_beside_one_from_a_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are read anew for each plan, which must not make modules of others forgotten."""
    (folder / "given.py").write_text(
        "from torch import nn\n\ndef same():\n    return nn.Identity()\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    import given  # type: ignore[import-not-found]

    both = plan(**{"kind": "mad", "metrics": ["mine", "theirs"], "level": {"noise": [0.05]}})
    del both["sets"][0]["model"]
    first = work_in(folder, both, theirs=given.same)
    assert sys.modules["given"] is given
    refs = first.sets[0].members[0].models.values()
    assert all("given.py" in ref.sources for ref in refs)
    monkeypatch.delitem(sys.modules, "given")


def test_a_factory_without_a_file_is_refused(folder: Path) -> None:
    made: dict[str, Any] = {"__name__": "nowhere"}
    exec("from torch import nn\ndef same():\n    return nn.Identity()", made)
    with pytest.raises(InputError, match="is in no file"):
        work_in(folder, plan({}), mine=made["same"])


def test_a_helper_that_is_imported_when_the_model_is_made_is_found(folder: Path) -> None:
    (folder / "late.py").write_text(
        "def retina(sigma=1.5):\n    import helper\n    return helper.Square()\n"
    )
    work = work_in(folder, plan({"mine": {"use": "late.py:retina"}}))
    assert set(work.sets[0].members[0].models["model"].sources) == {"late.py", "helper.py"}


def test_a_job_of_a_model_with_another_output_is_not_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that a model reads at run time is in no key; its output tells."""
    (folder / "reads.py").write_text(
        "from pathlib import Path\nfrom torch import nn\n\n\nclass Scaled(nn.Module):\n"
        "    def forward(self, image):\n"
        "        return float((Path(__file__).parent / 'gain.txt').read_text()) * image\n"
    )
    table = plan({"mine": {"use": "reads.py:Scaled"}})
    monkeypatch.chdir(folder)
    (folder / "gain.txt").write_text("1.0")
    first = build(table, folder)
    (folder / "gain.txt").write_text("1.00001")  # within what rounding may change
    table["bank"]["version"] = "1.0.1"
    build(table, folder).close()
    assert not list((folder / "jobs").glob("*.other"))
    (folder / "gain.txt").write_text("2.0")
    table["bank"]["version"] = "1.1.0"
    second = build(table, folder)
    assert len(list((folder / "jobs").glob("*.other"))) == 1
    probes = [b.records[1].models["model"].probe for b in (first, second)]
    assert probes[1][0] == pytest.approx(2 * probes[0][0])


@pytest.mark.parametrize("name", ["analysis", "experiments", "stimsynth", "stimuli_store"])
@pytest.mark.parametrize("end", [".py", "/__init__.py"])
@pytest.mark.parametrize(
    "how",
    [
        "from {} import Square\ndef own():\n    return Square()\n",
        "def own():\n    import {}\n    from torch import nn\n    return nn.Identity()\n",
        "import late\ndef own():\n    from torch import nn\n    return nn.Identity()\n",
    ],
)
def test_a_helper_with_the_name_of_a_package_of_ours_is_refused(
    tmp_path: Path, name: str, end: str, how: str
) -> None:
    helper = tmp_path / f"{name}{end}"
    helper.parent.mkdir(exist_ok=True)
    helper.write_text(HELPER)
    (tmp_path / "late.py").write_text(f"def unused():\n    import {name}.x\n")
    (tmp_path / "models.py").write_text(how.format(name))
    with pytest.raises(InputError) as caught:
        work_in(tmp_path, plan({"mine": {"use": "models.py:own"}}))
    assert f"imports {name}, a package of this toolkit and also {name}{end}" in str(caught.value)
    assert Path(str(importlib.import_module(name).__file__)).is_relative_to(ROOT)  # not the helper


def test_a_script_with_the_name_of_a_package_of_ours_may_lie_beside_the_plan(folder: Path) -> None:
    (folder / "analysis.py").write_text("raise SystemExit\n")
    assert len(work_in(folder).batches) == 1


READER = """
import sys
from stimuli_store.bank.reading import open_bank
bank = open_bank(sys.argv[1])
for record in bank.records:
    bank.frame(record.sha256)
loaded = {"torch", "stimsynth", "models", "helper"} & set(sys.modules)
assert not loaded, loaded
print(*bank.sets)
"""


def test_reading_a_bank_imports_nothing_that_it_names(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    build(plan(), folder).close()
    (folder / "models.py").write_text("raise SystemExit('imported')")
    result = subprocess.run(
        [sys.executable, "-c", READER, str(folder / "own-1.0.0.h5")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("camera")


# -- our own code ----------------------------------------------------------------------------------


def modules_of(package: str) -> set[str]:
    folder = ROOT / package
    paths = (p.relative_to(ROOT).with_suffix("").parts for p in folder.rglob("*.py"))
    return {".".join(parts) for parts in paths}


def test_every_name_of_the_list_exists() -> None:
    every = modules_of("stimsynth")
    for name in CANNOT_CHANGE_A_PIXEL:
        assert any(m == name or m.startswith(f"{name}.") for m in every), name
    assert set(OF_THE_STORE) <= modules_of("stimuli_store")


WATCHED = """
import json, os, sys
from pathlib import Path
import numpy as np
import torch
from stimsynth.banks import jobs
from stimsynth.banks.build import build
from stimsynth.banks.code_identity import can_change_a_pixel
from tests.synth.every_kind import plan_of_every_kind

plan = plan_of_every_kind(Path())
for settings in plan["sets"]:
    settings |= {"max_iter": 1} if "max_iter" in settings else {}
    settings |= {"grid": "rounded"} if settings["kind"] in ("metamer", "mad") else {}

def counts(frame):
    name = frame.f_globals.get("__name__", "")
    return name.startswith("stimsynth.") and can_change_a_pixel(name)

handed = set()
def watch(frame, event, value):
    if event == "return" and isinstance(value, (torch.Tensor, np.ndarray, torch.nn.Module)):
        name = frame.f_globals.get("__name__", "")
        if name.startswith("stimsynth.") and not counts(frame) and counts(frame.f_back):
            handed.add(name + "." + frame.f_code.co_name)

real = jobs.measured
def measured(*arguments):
    sys.setprofile(watch)
    try:
        return list(real(*arguments))
    finally:
        sys.setprofile(None)
jobs.measured = measured
bank = build(plan, Path())
print(json.dumps({
    "handed": sorted(handed),
    "loaded": sorted(m for m in sys.modules if m.split(".")[0] == "stimsynth"),
    "kinds": sorted({r.kind for r in bank.records}),
}))
"""


@pytest.mark.long
def test_what_does_not_count_hands_no_tensor_to_what_makes_pixels(tmp_path: Path) -> None:
    """In a build of every kind, in a fresh interpreter, with each return from excluded modules watched."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = fresh.run(["-c", WATCHED], tmp_path, environment)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert len(found["kinds"]) == len(SETS) + 1
    assert found["handed"] == []
    packages = {m for m in found["loaded"] if (ROOT / m.replace(".", "/")).is_dir()}
    every = modules_of("stimsynth")
    for module in set(found["loaded"]) - packages:
        assert module in every
        listed = any(module == n or module.startswith(f"{n}.") for n in CANNOT_CHANGE_A_PIXEL)
        assert listed != can_change_a_pixel(module)


SEEN = """
import os, sys
from pathlib import Path
code = sys.argv[2]
sys.path.insert(0, code)
sys.dont_write_bytecode = True
from stimsynth.banks.build import build
from stimsynth.banks.plan import plan_from
from stimsynth.banks.work import prepare
plan = {
    "bank": {"name": "own", "version": "1.0.0", "license": "CC0-1.0"},
    "targets": {"images": ["camera"], "size": 32},
    "models": {"pool": {"use": "UniformPooling"}},
    "sets": [{"kind": "metamer", "model": "pool", "max_iter": 2, "grid": "rounded"}],
}
assert sys.modules["stimsynth"].__path__ == [os.path.join(code, "stimsynth")]
print(*(batch.key for batch in prepare(plan_from(plan)).batches))
print(build(plan, Path(sys.argv[1]), say=lambda remark: print(remark)).pin)
"""


def seen_by(codes: Sequence[Path], banks: Path) -> list[list[str]]:
    """Return what each of several copies of the packages says of the keys and the bank of a plan, in turn."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    said = [fresh.run(["-c", SEEN, banks, code], banks, environment) for code in codes]
    assert [one.returncode for one in said] == [0] * len(codes), said
    return [one.stdout.splitlines() for one in said]


@pytest.mark.long
def test_comments_plots_progress_and_commands_change_no_key_and_a_constant_does(
    tmp_path: Path,
) -> None:
    banks, plain = tmp_path / "banks", tmp_path / "plain"
    banks.mkdir()
    for package in ("stimsynth", "stimuli_store", "experiments", "analysis"):
        shutil.copytree(ROOT / package, plain / package)  # with what was compiled of it
    words = shutil.copytree(plain, tmp_path / "words")
    for path in words.rglob("*.py"):
        path.write_text(path.read_text() + "\n\n# a comment\n")
    for name in ("plots/panels.py", "methods/base/progress.py", "commands/build.py"):
        with (words / "stimsynth" / name).open("a") as file:
            file.write("\nADDED = 1\n")
    other = shutil.copytree(plain, tmp_path / "other")
    edit(other / "stimsynth/metrics/structural_similarity.py", "0.01**2", "0.02**2")
    first, second, (keys, remark, pin) = seen_by([plain, words, other], banks)
    assert second == first
    assert keys != first[0]
    assert "other code" in remark
    assert pin == first[1]


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("x = 1\n", "x = 1  # one\n\n", True),
        ('def f():\n    "Doc."\n    return 1\n', "def f():\n    return 1\n", True),
        ('def f(\n    x,\n): "Doc."\n', "def f(\n    y,\n): pass\n", False),
        ('x = """a\n\nb"""\n', 'x = """a\nb"""\n', False),
        ('x = """a  \nb"""\n', 'x = """a\nb"""\n', False),
        ('x = f"""a\n\nb{1}"""\n', 'x = f"""a\nb{1}"""\n', False),
        ('"""Doc."""; x = 1\n', '"""Doc."""; x = 2\n', False),
        ('"""Doc\n\nmore."""\nx = 1\n', "x = 1\n", True),
        ('x = "#1"\n', 'x = "#2"\n', False),
        ("x = (  # a\n    'b'\n)\n", "x = (\n)\n", False),
        ("x = \\\n'b'\n", "x = \\\n", False),
        ("f(x)\nr'b'  # c\n", "f(x)\n", True),
        ("x = 1\nf'{f(x)}'\n", "x = 1\n", False),
        ("x = '\\'#a'\n", "x = '\\'#b'\n", False),
        ("x = f'{y}#a'\n", "x = f'{y}#b'\n", False),
        ("x = f'{d['#a']}'\n", "x = f'{d['#b']}'\n", False),
        ("x = 1  # don't\n", "x = 1  # it's\n", True),
        ("x = f('{')  # a\n", "x = f('{')\n", True),
        ("x = {f: 1}  # {a\n", "x = {f: 1}\n", True),
        ('x = "\x0c"\ny = 1  # a\n', 'x = "\x0c"\ny = 1  # b\n', True),
        ("if x:\n    y = 1\nz = 2\n", "if x:\n    y = 1\n    z = 2\n", False),
    ],
)
def test_sources_without_what_cannot_matter(one: str, two: str, same: bool) -> None:
    assert (bare_source(one) == bare_source(two)) is same


GROWING = "from torch import nn\nclass G(nn.Module):\n    def forward(self, x):\n        return x + x * x\n"


def test_helpers_in_any_folder_behind_links_and_in_packages_are_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_folder, shared = tmp_path / "plan", tmp_path / "shared"
    package = tmp_path / "site-packages" / "mylab_of_tests"
    for folder in (plan_folder / "lib", shared, package):
        folder.mkdir(parents=True)
    for place in (plan_folder / "lib", package):
        (place / "__init__.py").write_text("")
        (place / "helper.py").write_text(GROWING)
    (shared / "linked.py").write_text(GROWING)
    (plan_folder / "linked.py").symlink_to(shared / "linked.py")
    (plan_folder / "models.py").write_text(
        "from lib.helper import G\nfrom linked import G as H\ndef own():\n    return G()\n"
    )
    (package / "models.py").write_text(
        "from mylab_of_tests.helper import G\ndef own():\n    return G()\n"
    )
    monkeypatch.syspath_prepend(str(package.parent))
    sources = {}
    for use in ("models.py:own", "mylab_of_tests.models:own"):
        work = work_in(plan_folder, plan({"m": {"use": use}}, model="m"))
        sources[use] = set(work.sets[0].members[0].models["model"].sources)
    beside = {"models.py", "linked.py", "lib/__init__.py", "lib/helper.py"}
    assert sources["models.py:own"] == beside
    names = ("__init__", "helper", "models")
    assert {f"mylab_of_tests/{name}.py" for name in names} <= sources["mylab_of_tests.models:own"]
