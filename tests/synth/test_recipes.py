"""Every kind of stimulus in one bank: what its certificates state is recomputed from the 8-bit frames.

Plain formulas of numpy and torch are used, and nothing of ours but filters and pooling models themselves.
"""

import math
import runpy
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from stimsynth.banks.build import build
from stimsynth.banks.plan import plan_from
from stimsynth.banks.recipe import RECIPES, recipe_class
from stimsynth.banks.work import prepare
from stimsynth.cli import main
from stimsynth.commands.build import kinds
from stimsynth.images import uniform_noise
from stimsynth.images.noise import gaussian_noise
from stimsynth.models import UniformPooling
from stimuli_store.bank.pixel_checks import check_pixels
from stimuli_store.bank.reading import Bank
from stimuli_store.frames import perturb
from stimuli_store.records.stimulus import StimulusRecord
from tests.synth.every_kind import MEAN, SETS, STD, plan_of_every_kind

RTOL = 1e-6
Outputs = Callable[[Tensor], Tensor]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The bank, the folder of its plan, and its models as functions of images in float64."""
    folder = tmp_path_factory.mktemp("kinds")
    plan = plan_from(plan_of_every_kind(folder))
    bank = build_in(folder, plan)
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


def images_of(world: SimpleNamespace, *ids: str) -> Tensor:
    """Frames as images (n, 1, h, w), float64."""
    return torch.stack([torch.from_numpy(world.bank.frame(i).pixels / 255.0)[None] for i in ids])


def rms(values: Tensor) -> float:
    return math.sqrt(float(values.detach().square().mean()))


def on_levels(image: Tensor) -> Tensor:
    return (image.clamp(0, 1).double() * 255).round() / 255


def one_minus_ssim(x: Tensor, y: Tensor) -> float:
    """Wang et al. 2004: 11 x 11 Gaussian windows of standard deviation 1.5 that fit into the image."""
    line = torch.exp(-((torch.arange(11.0, dtype=torch.float64) - 5) ** 2) / (2 * 1.5**2))
    window = torch.outer(line, line)[None, None] / line.sum() ** 2
    mean_x, mean_y, xx, yy, xy = (conv2d(v, window) for v in (x, y, x * x, y * y, x * y))
    var_x, var_y, cov = xx - mean_x**2, yy - mean_y**2, xy - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    top = (2 * mean_x * mean_y + c1) * (2 * cov + c2)
    return 1 - float((top / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))).mean())


def metamer(world: SimpleNamespace, record: StimulusRecord) -> dict[str, float]:
    assert record.level is not None
    assert record.start is not None
    model = UniformPooling(window_px=int(record.level.value)).double()
    frame, target = images_of(world, record.sha256, record.target)
    start = on_levels(uniform_noise((1, 1, 32, 32), record.start.seed))
    goal = model(target[None])
    return {
        "distance": rms(model(frame[None]) - goal),
        "relative_distance": rms(model(frame[None]) - goal) / rms(goal),
        "start_distance": rms(model(start) - goal),
        "pixel_rms": rms(frame - target),
    }


def mad(world: SimpleNamespace, record: StimulusRecord) -> dict[str, float]:
    deep = world.models["deep"]
    assert record.start is not None
    frame, target = images_of(world, record.sha256, record.target).split(1)
    master = torch.from_numpy(world.bank.pixels(record.target)).double()
    start = on_levels(master + 0.04 * gaussian_noise((1, 1, 32, 32), record.start.seed))
    found = {
        "metric_1": one_minus_ssim(target, frame),
        "metric_2": rms(deep(target) - deep(frame)),
        "start_metric_1": one_minus_ssim(target, start),
        "start_metric_2": rms(deep(target) - deep(start)),
    }
    held = "metric_2" if record.role.startswith("metric_1") else "metric_1"
    return {**found, "drift": found[held] / found[f"start_{held}"] - 1}


def eigendistortion(world: SimpleNamespace, record: StimulusRecord) -> dict[str, float]:
    mine = world.models["mine"]
    target = images_of(world, record.target)
    if record.level is None:
        e = torch.from_numpy(world.bank.pixels(record.sha256)).double().flatten()
        jacobian = torch.autograd.functional.jacobian(mine, target).reshape(-1, e.numel())
        fisher, unit = jacobian.T @ jacobian, e / e.norm()
        value = float(unit @ fisher @ unit)
        bound = float((fisher @ unit - value * unit).norm())
        largest = float(torch.linalg.eigvalsh(fisher)[-1])
        return {
            "eigenvalue": value,
            "error_bound": bound,
            "residual": bound / largest,
            "norm": float(e.norm()),
            "largest_eigenvalue": largest,
        }
    role = record.role.rstrip("+-")
    (unit_record,) = [r for r in world.bank.sets[record.set] if r.role == role]
    e = world.bank.pixels(unit_record.sha256).astype(np.float64)
    frame = images_of(world, record.sha256)
    sign = -1 if record.role.endswith("-") else 1
    amplitude = sign * float(np.sum((frame - target).numpy()[0, 0] * e))
    assert record.level is not None
    return {
        "amplitude": amplitude,
        "amplitude_error": amplitude / float(record.level.value) - 1,
        "response": rms(mine(frame) - mine(target)),
    }


def geodesic(world: SimpleNamespace, record: StimulusRecord) -> dict[str, float]:
    first, last = record.targets
    between = [r.sha256 for r in world.bank.sets[record.set]]
    path = world.models["mine"](images_of(world, first, *between, last)).detach()
    steps = [rms(b - a) for a, b in pairwise(path)]
    bound = (rms(path[-1] - path[0]) / len(steps)) ** 2
    return {
        "step": steps[record.member],
        "next_step": steps[record.member + 1],
        "bound_ratio": float(np.mean(np.square(steps))) / bound,
    }


def optimized(world: SimpleNamespace, record: StimulusRecord) -> dict[str, float]:
    responses = world.models["deep"](images_of(world, record.sha256, record.target))[:, 2]
    return {
        "objective": float(responses[0].mean()),
        "start_objective": float(responses[1].mean()),
    }


def pixels_apart(name: str) -> Callable[[SimpleNamespace, StimulusRecord], dict[str, float]]:
    def figures(world: SimpleNamespace, record: StimulusRecord) -> dict[str, float]:
        frame, target = images_of(world, record.sha256, record.target)
        return {name: rms(frame - target)}

    return figures


PLAIN = {
    "metamer": metamer,
    "mad": mad,
    "eigendistortion": eigendistortion,
    "geodesic": geodesic,
    "optimized": optimized,
    "noise": pixels_apart("rms"),
    "external": pixels_apart("pixel_rms"),
}


def test_the_table_has_every_kind(world: SimpleNamespace) -> None:
    assert set(PLAIN) == set(SETS) == {k for k, r in RECIPES.items() if _is_ours(r)}


def test_help_on_build_lists_the_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    recipe_class("noise")
    listed = dict(kinds())
    assert set(listed) == {k for k, r in RECIPES.items() if _is_ours(r)}
    with pytest.raises(SystemExit):
        main(["build", "--help"])
    text = capsys.readouterr().out
    assert all(line and f"  {kind:16} {line}\n" in text for kind, line in listed.items())


def _is_ours(recipe: type) -> bool:
    return recipe.__module__.startswith("stimsynth.")


@pytest.mark.parametrize("kind", PLAIN)
def test_certificates_are_what_plain_formulas_say(world: SimpleNamespace, kind: str) -> None:
    records = [r for r in world.bank.records if r.kind == kind]
    assert records
    for record in records:
        stated, found = record.certificate.figures, PLAIN[kind](world, record)
        assert stated.keys() == found.keys() <= set(RECIPES[kind].figures)
        largest = found.get("largest_eigenvalue", 0.0)
        for name, value in found.items():
            # The bound of an eigenvalue is a difference of numbers as large as the largest eigenvalue.
            near = {"error_bound": 1e-9 * largest, "residual": 1e-9}.get(name, 1e-12)
            assert stated[name] == pytest.approx(value, rel=RTOL, abs=near), (record.name, name)


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
