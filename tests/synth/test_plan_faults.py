"""Plans with faults: a sentence for each, all together, before any work, and nothing is written."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from stimsynth.banks.build import build
from stimsynth.banks.plan import plan_from
from stimsynth.banks.work import prepare
from stimuli_store.errors import InputError
from tests.synth.every_kind import plan_of_every_kind

Plan = dict[str, Any]
MORE_MODELS = """

def no_module():
    return 3


def fails():
    raise RuntimeError("no such luck")


class Noisy(nn.Module):
    def forward(self, image):
        return image + torch.rand_like(image)


class Infinite(nn.Module):
    def forward(self, image):
        return image / 0


class Rounded(nn.Module):
    def forward(self, image):
        return image.round()


def whatever(gain=1):
    return nn.Identity()


def other_weights():
    made = nn.Conv2d(1, 1, 3)
    import numpy
    made.weight.data[0, 0, 0, 0] = numpy.random.default_rng().random()
    return made
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def good(folder: Path) -> Plan:
    """The plan of every kind, with further files that no good plan names."""
    plan = plan_of_every_kind(folder)
    path = folder / "models.py"
    path.write_text(path.read_text() + MORE_MODELS)
    (folder / "empty").mkdir()
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n but not more")
    (folder / "text.pt").write_text("no weights")
    torch.save(nn.Linear(2, 2), folder / "pickle.pt")
    torch.save(nn.Linear(2, 2).state_dict(), folder / "linear.pt")
    grey = Image.fromarray(np.arange(1024).reshape(32, 32).astype(np.uint8))
    for name in ("photo.png", "photo.bmp", "copy.png"):
        grey.save(folder / name)
    plan["predict"] = {"models": []}
    return plan


def only(plan: Plan, which: str, **settings: Any) -> Plan:
    (found,) = [s for s in plan["sets"] if s["kind"] == which]
    plan["sets"] = [found | settings]
    return plan


def mine(**settings: Any) -> Callable[[Plan], Plan]:
    """Return a plan with another model."""

    def change(plan: Plan) -> Plan:
        plan["models"] = {"mine": settings}
        plan["sets"] = [{"kind": "metamer", "model": "mine"}]
        return plan

    return change


def table(which: str, **settings: Any) -> Callable[[Plan], Plan]:
    return lambda plan: only(plan, "noise") | {which: plan[which] | settings}


def sets(which: str, **settings: Any) -> Callable[[Plan], Plan]:
    return lambda plan: only(plan, which, **settings)


def images(*names: str, **settings: Any) -> Callable[[Plan], Plan]:
    return table("targets", images=list(names), **settings)


#: A change of a good plan, and what is said of it.
FAULTS: Mapping[str, tuple[Callable[[Plan], Plan], str]] = {
    "kind": (sets("noise", kind="nose"), "did you mean 'noise'"),
    "kind of a wrong type": (sets("noise", kind=3), "needs a kind"),
    "table": (lambda p: p | {"prdict": {}}, "did you mean 'predict'"),
    "key of a set": (sets("mad", metricks=["a"]), "did you mean 'metrics'"),
    "key of a model": (mine(use="Gaussian", parms={"kernel_size": 7}), "did you mean 'params'"),
    "key of targets": (table("targets", sise=3), "did you mean 'size'"),
    "figure of a gate": (sets("mad", gates={"drfit": 1}), "did you mean 'drift'"),
    "label of a model": (sets("metamer", model="pol"), "did you mean 'pool'"),
    "no label": (sets("metamer", model=""), "unknown model or metric ''"),
    "metric": (sets("mad", metrics=["sim", "mse"]), "did you mean 'ssim'"),
    "predicting model": (table("predict", models=["mze"]), "did you mean 'mse'"),
    "bundled model": (mine(use="Gausian"), "did you mean 'Gaussian'"),
    "argument": (mine(use="Gaussian", params={"kernel": 7}), "did you mean 'kernel_size'"),
    "model file": (mine(use="modles.py:retina"), "there is no file"),
    "model module": (mine(use="no.such.module:retina"), "there is no module 'no.such.module'"),
    "factory": (mine(use="models.py:retnia"), "did you mean 'retina'"),
    "factory that is none": (mine(use="models.py:__name__"), "must be a function or class"),
    "factory that fails": (mine(use="models.py:fails"), "cannot be made from {}: no such luck"),
    "no module": (mine(use="models.py:no_module"), "returns a int; a factory returns a torch"),
    "random": (mine(use="models.py:Noisy"), "mine is random: two passes on one image differ"),
    "not finite": (mine(use="models.py:Infinite"), "mine is not finite"),
    "no slope": (mine(use="models.py:Rounded"), "mine: "),
    "drifting weights": (mine(use="models.py:other_weights"), "other weights every time"),
    "weights missing": (mine(use="models.py:network", weights="w.pt"), "no file of weights"),
    "weights of another": (mine(use="models.py:network", weights="linear.pt"), "do not fit"),
    "weights as a pickle": (mine(use="models.py:network", weights="pickle.pt"), "do not fit"),
    "weights as a text": (mine(use="models.py:network", weights="text.pt"), "do not fit"),
    "layer": (mine(use="models.py:network", layer="9", channels=3), "unknown layer"),
    "channels": (mine(use="models.py:network"), "mine fails on images of shape (1, 32, 32)"),
    "size without a layer": (mine(use="models.py:network", size=3), "name the layer too"),
    "noise level": (sets("mad", level={"noise": [0.0]}), "standard deviations above 0"),
    "axis": (sets("mad", level={"nose": [0.1]}), "mad.level must be { noise"),
    "level as a word": (sets("mad", level={"noise": ["loud"]}), "type float; not 'loud'"),
    "level as a number": (sets("mad", level=0.1), "must be a table of keys and values"),
    "level twice": (sets("noise", level={"rms": [0.1, 0.1]}), "differ in their first six digits"),
    "no level": (sets("noise", level={"rms": []}), "one or more values"),
    "level missing": (sets("noise", level={}), "noise.level must be { rms"),
    "level not finite": (sets("noise", level={"rms": [float("inf")]}), "finite numbers"),
    "level out of range": (sets("metamer", level={"window_px": [64]}), "larger than an image"),
    "levels that change nothing": (
        lambda p: (
            only(p, "metamer", model="any", level={"gain": [1, 2]})
            | {"models": {"any": {"use": "models.py:whatever"}}}
        ),
        "gain=1 and gain=2 make models with the same outputs",
    ),
    "level that nothing takes": (sets("metamer", level={"windw_px": [4]}), "did you mean"),
    "level that is a parameter": (
        lambda p: (
            only(p, "metamer")
            | {"models": {"pool": {"use": "UniformPooling", "params": {"window_px": 4}}}}
        ),
        "which is the level axis already",
    ),
    "amplitude below a level": (
        sets("eigendistortion", level={"amplitude": [0.001]}),
        "norms of one level or more",
    ),
    "amplitude beyond white": (
        sets("eigendistortion", level={"amplitude": [100]}),
        "as no change of camera, grass between black and white is so large",
    ),
    "end": (sets("eigendistortion", ends=["more"]), "eigendistortion.ends must be of most, least"),
    "penalty": (sets("metamer", penalties={"rouhgness": 1}), "did you mean 'roughness'"),
    "weight": (sets("metamer", penalties={"roughness": -1}), "the weight of roughness must be"),
    "ends of one target": (sets("geodesic", ends=[["camera", "camera"]]), "two different targets"),
    "end that is no target": (sets("geodesic", ends=[["camera", "gras"]]), "did you mean 'grass'"),
    "unit": (sets("optimized", unit=[99]), "optimized.unit must be an index"),
    "same metrics": (sets("mad", metrics=["mse", "mse"]), "must be two different metrics"),
    "same models": (
        lambda p: (
            only(p, "mad", metrics=["one", "two"])
            | {"models": {label: {"use": "models.py:retina"} for label in ("one", "two")}}
        ),
        "must be two different metrics",
    ),
    "a metric and its root": (
        lambda p: (
            only(p, "mad", metrics=["same", "mse"]) | {"models": {"same": {"use": "Identity"}}}
        ),
        "same and mse are functions of each other",
    ),
    "one metric": (sets("mad", metrics=["mse"]), "mad needs two metrics"),
    "on_miss": (sets("noise", on_miss="ignore"), "flag, retry, fail"),
    "seeds": (sets("noise", seeds=[1, 1]), "different numbers"),
    "image": (images("camrea"), "did you mean 'camera'"),
    "image file": (images("foto.png", license="CC0-1.0"), "there is no image file foto.png"),
    "image unreadable": (images("broken.png", license="CC0-1.0"), "broken.png"),
    "image too small": (images("camera", size=4096), "too small"),
    "image without colour": (images("photo.png", license="CC0-1.0", colour="rgb"), "no colour"),
    "folder empty": (images("empty", license="CC0-1.0"), "the folder empty has no image file"),
    "external folder empty": (sets("external", files="empty"), "the folder empty has no image"),
    "pattern of nothing": (images("*.jpg", license="CC0-1.0"), "there is no image file *.jpg"),
    "licence of a file": (images("photo.png"), "photo.png has no licence"),
    "licence of the bank": (table("bank", license=" "), "bank.license"),
    "licence of external files": (sets("external", license=""), "needs a licence"),
    "external files": (sets("external", files="none/*.png"), "there is no image file none"),
    "external target": (sets("external", target="camrea"), "did you mean 'camera'"),
    "target twice": (images("camera", "camera"), "camera is used twice"),
    "set twice": (lambda p: p | {"sets": 2 * only(p, "noise")["sets"]}, "two sets are called"),
    "target under two names": (
        images("photo.png", "copy.png", license="CC0-1.0"),
        "photo and copy have the same pixels",
    ),
    "stimulus under two names": (
        lambda p: (
            p | {"sets": [s | {"name": n} for n in ("a", "b") for s in only(p, "geodesic")["sets"]]}
        ),
        "camera-grass/a/frame/position=0.25 and camera-grass/b/frame/position=0.25; take one",
    ),
    "two files of one name": (
        sets("external", files=["photo.png", "photo.bmp"], target=""),
        "two stimuli are called external/photo",
    ),
    "noise that no screen shows": (
        sets("mad", level={"noise": [1e-6]}),
        "noise=1e-06 changes no pixel of camera, grass by a level",
    ),
    "name of the bank": (table("bank", name="A bank"), "a bank's name must have"),
    "no sets": (lambda p: p | {"sets": []}, "needs one table [[sets]]"),
}


def said(plan: Any, folder: Path) -> str:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(InputError) as caught:
        build(plan, folder / "out")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert not (folder / "out").exists()
    return str(caught.value)


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_gets_one_sentence_and_nothing_is_written(folder: Path, case: str) -> None:
    change, sentence = FAULTS[case]
    found = said(change(good(folder)), folder)
    assert sentence in found
    assert "\n" not in found


#: Tables with several faults, and what is said of them.
TOGETHER: Mapping[str, tuple[Callable[[Plan], Plan], list[str]]] = {
    "values of a set": (
        sets("metamer", level={"window_px": [4, 4]}, grid="x", balanced="y", seeds=[1, 1], batch=0),
        ["first six digits", "metamer.grid", "metamer.balanced", "metamer.seeds", "batch must be"],
    ),
    "types and values": (
        sets("noise", seeds="a", spectrum="green", gates={"rsm": 1}, on_miss="look"),
        ["seeds must be a list", "white or pink", "did you mean 'rms'", "flag, retry, fail"],
    ),
    "misspelt keys and their values": (
        lambda p: p | {"sets": [{"kind": "mad", "metricks": ["sim", "mze"], "sead": [-1]}]},
        ["'metrics'", "'seeds'", "from 0 to 2**63", "did you mean 'ssim'", "did you mean 'mse'"],
    ),
    "a misspelt key and labels": (
        lambda p: p | {"sets": [{"kind": "mad", "metricks": ["sim", "mze"]}]},
        ["'metrics'", "did you mean 'ssim'", "did you mean 'mse'", "needs two metrics and a level"],
    ),
    "values of a set and its model": (
        sets("metamer", model="mien", max_iter=0, level={"a": [1], "b": [2]}),
        ["metamer.max_iter", "metamer.level must name one axis", "did you mean 'mine'"],
    ),
    "no ends and no model": (
        sets("geodesic", model="mien", ends=[]),
        ["geodesic.ends must be pairs", "did you mean 'mine'"],
    ),
    "targets, their files, and sets": (
        lambda p: (
            only(p, "metamer", model="pol") | {"targets": {"images": ["no.png"], "colour": "blue"}}
        ),
        ["targets.colour", "there is no image file no.png", "did you mean 'pool'"],
    ),
    "levels": (sets("metamer", level={"window_px": [64, 128]}), ["of 64 px", "of 128 px"]),
    "ends and model": (
        sets("geodesic", model="mien", ends=[["camera", "gras"], ["gravle", "grass"]]),
        ["did you mean 'mine'", "'gras'", "'gravle'"],
    ),
    "external": (
        sets("external", license="", target="camrea", files=["none", "no/*.png"]),
        ["needs a licence", "did you mean 'camera'", "image file none", "image file no/*.png"],
    ),
    "models": (
        lambda p: (
            only(p, "noise") | {"models": {"a": {"use": 3, "size": 4, "mean": "b", "layr": "1"}}}
        ),
        ["use must have type str", "mean must be a list", "did you mean 'layer'"],
    ),
    "bank": (
        lambda p: p | {"bank": {"name": "A b", "version": "1", "transfer": "x"}},
        ["a bank's name", "three numbers", "bank.transfer", "needs the key 'license'"],
    ),
    "names": (
        lambda p: (
            p | {"sets": [*2 * [{"kind": "noise", "level": {"rms": [0.1]}}], {"kind": "noise"}]}
        ),
        ["camera/white-noise/rms=0.1, grass/white-noise/rms=0.1;", "noise.level must be"],
    ),
}


@pytest.mark.parametrize("case", TOGETHER)
def test_no_fault_of_a_table_hides_another(folder: Path, case: str) -> None:
    change, sentences = TOGETHER[case]
    found = said(change(good(folder)), folder)
    assert all(sentence in found for sentence in sentences), found
    assert found.count("\n- ") == len(sentences), found


def test_all_faults_of_a_plan_are_reported_together(folder: Path) -> None:
    plan = good(folder)
    plan["bank"] |= {"version": "1", "licence": "x"}
    plan["models"]["mine"]["use"] = "models.py:retnia"
    plan["targets"]["images"] = ["camera", "grass", "foto.png", "broken.png"]
    plan["targets"]["license"] = "CC0-1.0"
    plan["sets"] += [
        {"kind": "nose"},
        {"kind": "mad", "metricks": [], "seads": [1], "level": {"noise": [0.1]}},
        {"kind": "metamer", "model": "pol"},
    ]
    plan["predict"] = {"models": ["mze"]}
    found = said(plan, folder)
    for sentence in (
        "three numbers",
        "did you mean 'license'",
        "foto.png",
        "broken.png",
        "did you mean 'noise'",
        "did you mean 'metrics'",
        "did you mean 'seeds'",
        "did you mean 'retina'",
        "did you mean 'pool'",
        "did you mean 'mse'",
    ):
        assert sentence in found
    assert found.count("\n- ") >= 10


def test_metrics_that_are_only_alike_are_two(folder: Path) -> None:
    plan = only(good(folder), "mad", metrics=["one", "two"])
    use = "models.py:retina"
    plan["models"] = {
        "one": {"use": use, "params": {"sigma": 1.5}},
        "two": {"use": use, "params": {"sigma": 1.55}},
    }
    assert len(prepare(plan_from(plan), folder).sets) == 2
