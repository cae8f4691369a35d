"""Every kind of stimulus in one bank: what its certificates state is recomputed from the 8-bit frames.

Plain formulas of numpy and torch are used, and nothing of ours but filters and pooling models themselves.
"""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch import Tensor
from torch.nn.functional import conv2d

from stimsynth.banks.build import build
from stimsynth.banks.plan import plan_from
from stimsynth.banks.recipe import RECIPES, recipe_class
from stimsynth.banks.work import prepare
from stimsynth.cli import main
from stimsynth.commands.build import kinds
from stimuli_store.bank.pixel_checks import check_pixels
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import InputError
from stimuli_store.frames import perturb
from tests.synth.every_kind import MEAN, SETS, STD, plan_of_every_kind
from tests.synth.plain_figures import (
    PLAIN,
    RTOL,
    Outputs,
    denied_figures,
    images_of,
    one_minus_ssim,
    rms,
)
from tests.synth.shared_bank import bank_of_every_kind


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The bank, the folder of its plan, and its models as functions of images in float64."""
    folder, bank = bank_of_every_kind(tmp_path_factory)
    return SimpleNamespace(bank=bank, folder=folder, models=plain_models(folder))


def build_in(folder: Path, plan: object) -> Bank:
    """Build with relative paths from a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return build(plan, folder)  # type: ignore[arg-type]


def plain_models(folder: Path) -> Mapping[str, Outputs]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        made = runpy.run_path(str(folder / "models.py"))
    retina, convolution = made["retina"](1.25).double(), made["network"]()[0].double()

    def deep(image: Tensor) -> Tensor:
        scaled = (image.expand(-1, 3, -1, -1) - MEAN) / STD
        return conv2d(scaled, convolution.weight, convolution.bias).clamp_min(0).detach()

    return {"mine": retina, "deep": deep}


def test_the_table_has_every_kind() -> None:
    recipe_class("noise")  # all kinds are loaded when one is asked for
    assert set(PLAIN) == set(SETS) == {k for k, r in RECIPES.items() if _is_ours(r)}


def test_help_on_build_lists_the_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    recipe_class("noise")
    listed = dict(kinds())
    assert set(listed) == {k for k, r in RECIPES.items() if _is_ours(r)}
    with pytest.raises(SystemExit):
        main(["build", "--help"])
    text = " ".join(capsys.readouterr().out.split())  # lines break where the terminal ends
    assert all(line and f"{kind} {line}" in text for kind, line in listed.items())


def _is_ours(recipe: type) -> bool:
    return recipe.__module__.startswith("stimsynth.")


@pytest.mark.long
@pytest.mark.parametrize("kind", PLAIN)
def test_certificates_are_what_plain_formulas_say(world: SimpleNamespace, kind: str) -> None:
    records = [r for r in world.bank.records if r.kind == kind]
    assert records
    for record in records:
        assert record.certificate.figures.keys() <= set(RECIPES[kind].figures)
        assert denied_figures(record, world) == [], record.name


def test_a_set_holds_what_its_kind_promises(world: SimpleNamespace) -> None:
    for record in world.bank.records:
        figures = record.certificate.figures
        if record.kind == "metamer":
            assert figures["distance"] < 0.2 * figures["start_distance"]
        if record.kind == "mad":
            pushed = record.role[: len("metric_1")]
            gain = figures[pushed] / figures[f"start_{pushed}"] - 1
            assert gain > 0 if record.role.endswith("max") else gain < 0
            assert abs(figures["drift"]) < 1e-3
        if record.kind == "optimized":
            assert figures["objective"] > figures["start_objective"]
        if record.kind == "noise":
            assert figures["rms"] == pytest.approx(0.05, rel=0.1)
    members = world.bank.sets["camera/mine-eigendistortions"]
    most, least = (m.certificate.figures for m in members if m.level is None)
    assert most["eigenvalue"] == pytest.approx(most["largest_eigenvalue"], rel=1e-3)
    assert 0 <= least["eigenvalue"] < 1e-3 * most["eigenvalue"]


SINGLE = """
import torch
from torch import nn


class Constant(nn.Module):
    kernel = torch.full((1, 1, 3, 3), 1 / 9)

    def forward(self, image):
        return nn.functional.conv2d(image, self.kernel).tanh()


class Cast(nn.Module):
    def forward(self, image):
        return nn.functional.avg_pool2d(image.float(), 3).tanh()
"""


@pytest.mark.long
@pytest.mark.parametrize("name", ["Constant", "Cast"])
def test_a_model_that_is_tied_to_float32_serves_every_kind(tmp_path: Path, name: str) -> None:
    (tmp_path / "single.py").write_text(SINGLE)
    plan = plan_of_every_kind(tmp_path)
    plan["models"] = {"mine": {"use": f"single.py:{name}"}}
    plan["predict"] = {"models": ["mine"]}
    parts = {"model": "mine", "metrics": ["mine", "mse"], "unit": [0], "max_iter": 3, "level": {}}
    kinds = {k: s for k, s in SETS.items() if "model" in s or "metrics" in s}
    plan["sets"] = [
        {"kind": kind, **settings, **{key: parts[key] for key in settings.keys() & parts.keys()}}
        for kind, settings in kinds.items()
    ]
    plan["sets"][1]["level"] = SETS["mad"]["level"]
    for settings in plan["sets"][:2]:
        settings["grid"] = "rounded"
    assert {record.kind for record in build_in(tmp_path, plan).records} == {"reference", *kinds}


def test_a_metric_that_sees_no_noise_cannot_be_held(tmp_path: Path) -> None:
    (tmp_path / "corner.py").write_text(
        "from torch import nn\n\n\nclass Corner(nn.Module):\n"
        "    def forward(self, image):\n        return image[..., :1, :1]\n"
    )
    plan = plan_of_every_kind(tmp_path) | {"models": {"corner": {"use": "corner.py:Corner"}}}
    faint = {"kind": "mad", "metrics": ["corner", "mse"], "level": {"noise": [0.0015]}}
    plan |= {"sets": [faint | {"max_iter": 2}], "predict": {}}
    with pytest.raises(
        InputError, match="corner sees no difference between a target and its start"
    ):
        build_in(tmp_path, plan)


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "noise", "level": {"rms": [1e-12]}},
        {
            "kind": "eigendistortion",
            "model": "mine",
            "level": {"amplitude": [0.004]},
            "dither": "none",
        },
    ],
)
def test_a_stimulus_may_equal_its_target(tmp_path: Path, settings: dict[str, Any]) -> None:
    plan = plan_of_every_kind(tmp_path) | {"sets": [settings], "predict": {}}
    bank = build_in(tmp_path, plan)
    assert any(r.sha256 in r.targets for r in bank.records if r.kind != "reference")


def test_an_amplitude_that_a_frame_cannot_have_is_flagged(tmp_path: Path) -> None:
    plan = plan_of_every_kind(tmp_path)
    level = {"amplitude": [0.1, 12]}  # of at most 22
    plan["sets"] = [{"kind": "eigendistortion", "model": "mine", "ends": ["most"], "level": level}]
    plan["predict"] = {"models": []}
    for record in build_in(tmp_path, plan).records:
        if record.level is not None:
            missed = [flag for flag in record.flags if flag.startswith("amplitude_error is")]
            assert bool(missed) == (record.level.value == 12), record.certificate


def test_a_booth_makes_the_frames_of_distortions_itself(world: SimpleNamespace) -> None:
    for members in world.bank.sets.values():
        units = {m.role: world.bank.pixels(m.sha256) for m in members if m.level is None}
        for member in members if units else ():
            if member.level is not None and member.spec is not None and member.start is not None:
                sign = -1 if member.role.endswith("-") else 1
                frame = perturb(
                    world.bank.frame(member.target).pixels,
                    units[member.role[:-1]],
                    sign * float(member.level.value),
                    str(member.spec.recipe["dither"]),
                    member.start.seed,
                )
                assert frame.sha256 == member.certificate.frame_sha256


def test_records_are_true_of_pixels_and_name_all_that_made_them(world: SimpleNamespace) -> None:
    check_pixels(world.bank.records, world.bank.pixels)
    for record in world.bank.records:
        if record.kind == "reference":
            continue
        assert record.spec is not None
        assert record.batch is not None
        assert record.spec.key in record.batch.members
        assert not RECIPES[record.kind].axes & set(record.spec.recipe)
        assert record.license == ("CC-BY-4.0" if record.kind == "external" else "CC0-1.0")
        for model in record.models.values():
            assert bool(model.sources) == (model.label in ("mine", "deep"))
            assert bool(model.probe) == (model.label != "ssim")


def test_predictions_are_true_of_the_frames(world: SimpleNamespace) -> None:
    bank, mine = world.bank, world.models["mine"]
    distances = {label: bank.distances(label) for label in ("mine", "ssim", "mse")}
    for a, b in bank.predictions.pairs:
        one, two = images_of(world, a, b).split(1)
        found = {
            "mine": rms(mine(one) - mine(two)),
            "ssim": one_minus_ssim(one, two),
            "mse": rms(one - two) ** 2,
        }
        for label, value in found.items():
            assert distances[label][frozenset((a, b))] == pytest.approx(value, rel=RTOL, abs=1e-12)
    for target, a, b in bank.predictions.triples:
        nearer = bank.preferences("mine")[target, a, b]
        to_a, to_b = (distances["mine"][frozenset((target, one))] for one in (a, b))
        assert nearer == pytest.approx(to_b - to_a, rel=RTOL)


def test_the_same_plan_finds_the_bank_and_its_jobs(world: SimpleNamespace) -> None:
    work = prepare(plan_from(plan_of_every_kind(world.folder)), world.folder)
    assert work.sha256 == world.bank.header.plan_sha256
    assert {f"{batch.key}.h5" for batch in work.batches} == {
        path.name for path in (world.folder / "jobs").iterdir()
    }
    assert build_in(world.folder, work.plan).version_id == world.bank.version_id
