"""Geodesic: known answers in closed form, the bound on its energy, runs that go on where they stopped."""

import math
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from stimsynth import Gaussian, Geodesic, images, remove_grad
from stimsynth.engine.lbfgs import LBFGS
from stimsynth.engine.run import Status
from stimsynth.losses import penalize_range
from stimsynth.methods.paths import residual
from stimsynth.transforms import deviation_from_line, make_straight_line
from stimuli_store.errors import ArchiveError, InputError

TIGHT = {"optimizer": LBFGS(), "stop_criterion": 1e-8, "stop_iters_to_check": 3}


class Exponential(nn.Module):
    """A model of exp(x) for each pixel: every sequence of positive outputs has a sequence of images."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.exp(2 * x)


class Direction(nn.Module):
    """The image divided by its norm: outputs lie on a sphere, and no way between them is straight."""

    def forward(self, x: Tensor) -> Tensor:
        return x / x.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


class Amplitude(nn.Module):
    """The moduli of the Fourier transform, which do not change when an image moves round its edges."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.fft.rfft2(x).abs()


class Spectrum(nn.Module):
    """A linear model with complex outputs."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.fft.rfft2(x, norm="ortho")


def picture(name: str, size: int = 8) -> Tensor:
    return images.load(name, size=size).double()


def ends(size: int = 8) -> tuple[Tensor, Tensor]:
    return picture("camera", size), picture("grass", size)


def blur() -> nn.Module:
    return remove_grad(Gaussian(3, 0.7).double())


def bridge(model: nn.Module | None = None, **kwargs: object) -> Geodesic:
    settings = {"n_steps": 5, "initial_sequence": "bridge", "seed": 3, **kwargs}
    return Geodesic(*ends(), model or Exponential(), **settings)  # type: ignore[arg-type]


# -- known answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [Spectrum(), nn.Identity()], ids=["complex", "identity"])
def test_the_geodesic_of_an_invertible_linear_model_is_the_pixelfade(model: nn.Module) -> None:
    geo = bridge(model)
    assert geo.bound_ratio > 1.1
    geo.synthesize(100, **TIGHT)
    torch.testing.assert_close(geo.geodesic, geo.pixelfade, atol=1e-8, rtol=0)
    assert geo.bound_ratio.item() == pytest.approx(1, abs=1e-13)
    assert geo.dev_from_line[-1, :, 1].max() < 1e-8
    torch.testing.assert_close(geo.step_energy[-1], geo.energy_bound.expand(5))


def test_a_linear_models_outputs_come_to_lie_on_the_line() -> None:
    geo = bridge(blur())
    geo.synthesize(120, optimizer=LBFGS(bounds=(0, 1)))
    assert geo.bound_ratio.item() == pytest.approx(1, abs=1e-4)
    assert geo.dev_from_line[-1, :, 1].max() < 5e-3
    straight = Geodesic(*ends(), blur(), n_steps=4)
    assert torch.equal(straight.geodesic, straight.pixelfade)
    assert straight.bound_ratio.item() == pytest.approx(1, abs=1e-13)
    straight.synthesize(5, optimizer=LBFGS())
    torch.testing.assert_close(straight.geodesic, straight.pixelfade, atol=1e-6, rtol=0)
    assert straight.calculate_jerkiness().tolist() == [0, 0, 0]


@pytest.mark.parametrize("start", ["straight", "bridge"])
def test_a_pointwise_model_is_undone(start: str) -> None:
    """The geodesic is g⁻¹ of the straight line from g(a) to g(b)."""
    geo = bridge(initial_sequence=start)
    geo.synthesize(200, **TIGHT)
    a, b = (torch.exp(2 * end) for end in ends())
    answer = make_straight_line(a, b, 5).log() / 2
    torch.testing.assert_close(geo.geodesic, answer, atol=1e-6, rtol=0)
    torch.testing.assert_close(geo.bound_ratio.item(), 1.0, rtol=1e-11, atol=0)
    assert geo.calculate_jerkiness(answer).tolist() == [0] * 4


def test_on_a_sphere_it_is_a_great_circle_in_equal_arcs() -> None:
    """Its outputs bend, but only in the direction in which pixels cannot move them: no jerkiness."""
    a, b = ends()
    geo = Geodesic(a, b, Direction(), 6, "bridge", seed=1)
    began = geo.calculate_jerkiness()
    geo.synthesize(200, **TIGHT)
    u, v = Direction()(a), Direction()(b)
    angle = torch.acos((u * v).sum())
    times = torch.linspace(0, 1, 7).double().view(-1, 1, 1, 1)
    arc = ((1 - times) * angle).sin() * u + (times * angle).sin() * v
    torch.testing.assert_close(Direction()(geo.geodesic), arc / angle.sin(), atol=1e-5, rtol=0)
    least = (6 * (angle / 12).sin() / (angle / 2).sin()) ** 2
    torch.testing.assert_close(geo.bound_ratio[0], least, rtol=1e-9, atol=0)
    assert least > 1.01
    assert geo.calculate_jerkiness().max() < 1e-8 * began.min()
    (judged,) = geo.quality()
    assert judged.good
    assert judged.figures["bound ratio"] == pytest.approx(least.item())
    assert judged.figures["residual"] < 1e-5


def test_jerkiness_is_its_formula() -> None:
    """With Jacobians written out in full."""
    model = nn.Sequential(blur(), Exponential())
    geo = bridge(model)
    path = geo.geodesic
    jacobians = [torch.func.jacrev(model)(x[None]).reshape(64, 64) for x in path]
    y = model(path).flatten(1)
    wanted = []
    for t in range(1, 5):
        bend = y[t + 1] - 2 * y[t] + y[t - 1]
        wanted.append(((jacobians[t].T @ (bend / bend.norm())) ** 2).sum())
    torch.testing.assert_close(geo.calculate_jerkiness(), torch.stack(wanted))
    torch.testing.assert_close(geo.calculate_jerkiness(path[1:5]), torch.stack(wanted[1:3]))


def test_images_with_equal_outputs_have_a_free_way() -> None:
    """Fourier amplitudes do not change when an image moves round its edges: the least energy is 0."""
    a = picture("camera")
    geo = Geodesic(a, a.roll(2, dims=-1), Amplitude(), 4, "bridge", allowed_range=(-1, 2))
    assert geo.energy_bound < 1e-20
    geo.synthesize(300, optimizer=LBFGS())
    assert geo.losses[-1] < 1e-3 * geo.objective_function(geo.pixelfade)
    assert geo.bound_ratio > 1e10
    assert geo.quality()[0].figures["of pixelfade"] < 1e-3


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**31),
    n_steps=st.integers(2, 12),
    model=st.sampled_from([blur(), Exponential(), Direction(), Amplitude()]),
    start=st.sampled_from(["straight", "bridge"]),
)
def test_no_sequence_lies_below_the_bound(
    seed: int, n_steps: int, model: nn.Module, start: str
) -> None:
    a, b = torch.rand(2, 1, 1, 4, 4, generator=torch.Generator().manual_seed(seed)).double()
    geo = Geodesic(a, b, model, n_steps, start, seed=seed)  # type: ignore[arg-type]
    assert geo.bound_ratio >= 1 - 1e-12
    assert geo.objective_function() >= geo.energy_bound * (1 - 1e-12)


# -- what it holds ---------------------------------------------------------------------------------


def test_defaults_are_those_of_the_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    geo = Geodesic(*ends(), Exponential())
    assert geo.n_steps == 10
    assert geo.initial_sequence == "straight"
    assert geo.allowed_range == (0, 1)
    assert geo.range_penalty_lambda == 0.1
    assert torch.equal(geo.geodesic, geo.pixelfade)
    assert geo.losses.shape == (0, 1)
    assert geo.step_energy.shape == (0, 10)
    assert geo.dev_from_line.shape == (0, 11, 2)
    start = geo.interior.detach().clone().requires_grad_(True)
    sequence = torch.cat([geo.image_a, start[0], geo.image_b])
    (gradient,) = torch.autograd.grad(geo.objective_function(sequence), start)
    assert geo.synthesize(max_iter=1) is None
    assert type(geo.optimizer) is torch.optim.Adam
    assert geo.optimizer.defaults["amsgrad"]
    expected = start.detach() - 0.001 * gradient / (gradient.abs() + 1e-8)  # Adam's first step
    torch.testing.assert_close(geo.interior, expected)
    criterion = geo.pixelfade.norm() / 1e4 * (1 + math.sqrt(5)) / 2
    said = capsys.readouterr().out
    assert said == f"Stop criterion for pixel_change_norm = {criterion.item():.5e}\n"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("optimizer", [None, LBFGS(bounds=(0, 1))], ids=["adam", "lbfgs"])
def test_the_ends_stay_exactly(dtype: torch.dtype, optimizer: object) -> None:
    a = images.get("astronaut", as_gray=False)[..., 64:72, 64:72].to(dtype)
    b = images.get("coffee", as_gray=False)[
        ..., 64:72, 64:72
    ]  # is brought to the first image's type
    geo = Geodesic(a, b, nn.Identity(), 4, "bridge", n_starts=2)
    geo.synthesize(7, optimizer=optimizer, store_progress=3)
    assert geo.geodesic.shape == (5, 3, 8, 8)
    assert geo.geodesics.shape == (2, 5, 3, 8, 8)
    assert geo.saved_geodesic.shape == (3, 5, 3, 8, 8)
    for sequence in (*geo.geodesics, *geo.saved_geodesic, geo.pixelfade):
        assert torch.equal(sequence[:1], a)
        assert torch.equal(sequence[-1:], b.to(dtype))
    assert geo.geodesic.dtype == dtype
    assert not geo.geodesic.requires_grad


def test_the_objective_is_mean_step_energy_plus_weighted_penalty() -> None:
    model = blur()
    low, high = (float(v) for v in torch.cat(ends()).aminmax())
    geo = bridge(model, range_penalty_lambda=0.7, allowed_range=(low, high))
    path = geo.geodesic
    y = model(path)
    energies = [((y[t + 1] - y[t]) ** 2).sum() for t in range(5)]
    outside = torch.where(path < low, (path - low) ** 2, 0) + torch.where(
        path > high, (path - high) ** 2, 0
    )
    assert outside.sum() > 1e-3
    by_hand = sum(energies) / 5 + 0.7 * outside.sum()
    torch.testing.assert_close(geo.objective_function(), by_hand)
    torch.testing.assert_close(geo.objective_function(path), by_hand)
    geo.synthesize(0)
    torch.testing.assert_close(geo.losses[0, 0], by_hand)
    torch.testing.assert_close(geo.run.history["energy"][0, 0], sum(energies) / 5)
    torch.testing.assert_close(geo.step_energy[0], torch.stack(energies))
    fade = sum(
        ((model(geo.pixelfade)[t + 1] - model(geo.pixelfade)[t]) ** 2).sum() for t in range(5)
    )
    by_hand = fade / 5 + 0.7 * penalize_range(geo.pixelfade, (low, high))
    torch.testing.assert_close(geo.objective_function(geo.pixelfade), by_hand)


@pytest.mark.parametrize("every", [1, 2, 4])
def test_what_is_kept_was_measured_where_it_is_filed(every: int) -> None:
    geo = bridge()
    geo.synthesize(10, store_progress=every)
    rows = math.ceil(11 / every)
    assert geo.step_energy.shape == (rows, 5)
    assert geo.dev_from_line.shape == (rows, 6, 2)
    assert len(geo.saved_geodesic) == rows
    for row, sequence in enumerate(geo.saved_geodesic):
        y = Exponential()(sequence)
        torch.testing.assert_close(geo.step_energy[row], y.diff(dim=0).square().sum((1, 2, 3)))
        wanted = torch.stack(deviation_from_line(y), dim=1)
        torch.testing.assert_close(geo.dev_from_line[row], wanted)
    torch.testing.assert_close(
        geo.step_energy.mean(1), geo.run.history["energy"][::every, 0], rtol=1e-12, atol=0
    )
    assert bridge().store_progress == 0


def test_numbers_are_kept_without_images_too() -> None:
    geo = bridge()
    geo.synthesize(6)
    assert len(geo.saved_geodesic) == 0
    assert geo.step_energy.shape == (7, 5)


def test_pixels_stay_in_the_range() -> None:
    loose, strict = bridge(Direction()), bridge(Direction())
    strict.synthesize(15, optimizer=LBFGS(bounds=(0, 1)))
    loose.synthesize(15, optimizer=LBFGS())
    assert strict.geodesic.min() >= 0
    assert strict.geodesic.max() <= 1
    outside = ((loose.geodesic < 0) | (loose.geodesic > 1)).double().mean()
    assert loose.quality()[0].figures["outside range"] == pytest.approx(outside.item())


# -- several starts --------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [None, LBFGS(bounds=(0, 1))], ids=["adam", "lbfgs"])
def test_a_batch_of_starts_equals_smaller_ones(optimizer: object) -> None:
    together = bridge(n_starts=3)
    together.synthesize(25, optimizer=optimizer)
    assert together.losses.shape == together.pixel_change_norm.shape == (26, 3)
    for count in (1, 2):
        fewer = bridge(n_starts=count)
        fewer.synthesize(25, optimizer=optimizer)
        torch.testing.assert_close(fewer.losses, together.losses[:, :count], rtol=1e-6, atol=0)
        torch.testing.assert_close(fewer.geodesics, together.geodesics[:count], atol=1e-6, rtol=0)


def test_the_best_start_is_shown() -> None:
    geo = bridge(n_starts=4)
    assert geo.best == 0
    geo.synthesize(5)
    values = torch.stack([geo.objective_function(sequence) for sequence in geo.geodesics])
    torch.testing.assert_close(values, geo.losses[-1])
    assert geo.best == values.argmin()
    assert torch.equal(geo.geodesic, geo.geodesics[geo.best])
    torch.testing.assert_close(geo.step_energy[-1].mean(), geo.run.history["energy"][-1, geo.best])
    assert torch.equal(geo.objective_function(), geo.objective_function(geo.geodesic))
    assert len(geo.quality()) == len(geo.status) == len(geo.bound_ratio) == 4


def test_a_seed_gives_the_start_again() -> None:
    assert torch.equal(bridge().geodesic, bridge().geodesic)
    torch.testing.assert_close(bridge(n_starts=2).geodesics[:1], bridge().geodesics)
    assert not torch.equal(bridge().geodesic, bridge(seed=4).geodesic)


# -- stopping, going on, keeping -------------------------------------------------------------------


def test_it_stops_when_pixels_no_longer_change(capsys: pytest.CaptureFixture[str]) -> None:
    geo = bridge()
    with pytest.warns(UserWarning, match="^Pixel change norm has converged, stopping synthesis$"):
        geo.synthesize(5000, stop_criterion=0.004, stop_iters_to_check=20)
    assert capsys.readouterr().out == ""  # nobody has to be told a criterion of their own
    assert geo.status == (Status.CONVERGED,)
    moved = geo.pixel_change_norm[1:, 0]
    assert len(moved) < 5000
    calm = [bool((moved[i : i + 20] < 0.004).all()) for i in range(len(moved) - 19)]
    assert calm.index(True) == len(calm) - 1


@pytest.mark.parametrize("optimizer", [None, LBFGS(bounds=(0, 1))], ids=["adam", "lbfgs"])
def test_a_run_in_legs_and_files_is_one_run(tmp_path: Path, optimizer: object) -> None:
    whole, legs, loaded = (bridge(n_starts=2) for _ in range(3))
    whole.synthesize(20, optimizer, 3)
    legs.synthesize(8, optimizer, 3)
    legs.save(tmp_path / "geo.h5")
    legs.synthesize(12)
    assert loaded.load(tmp_path / "geo.h5") is None
    loaded.synthesize(12)
    for other in (legs, loaded):
        assert torch.equal(other.geodesics, whole.geodesics)
        assert torch.equal(other.losses, whole.losses)
        assert torch.equal(other.step_energy, whole.step_energy)
        assert torch.equal(other.saved_geodesic, whole.saved_geodesic)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (lambda a, b: Geodesic(b, a, Exponential(), 5, "bridge"), "image_a and image_b differs"),
        (
            lambda a, b: Geodesic(a, a.flip(-1), Exponential(), 5, "bridge"),
            "image_a and image_b differs",
        ),
        (lambda a, b: Geodesic(a, b, nn.Identity(), 5, "bridge"), "model's output differs"),
        (lambda a, b: Geodesic(a, b, Exponential(), 6, "bridge"), "n_steps was 5 and is 6"),
        (lambda a, b: bridge(range_penalty_lambda=0.2), "range_penalty_lambda was 0.1 and is 0.2"),
        (lambda a, b: bridge(allowed_range=(0, 2)), "allowed_range was 1.0 and is 2.0"),
    ],
)
def test_a_file_of_another_geodesic_is_refused(
    tmp_path: Path, other: object, sentence: str
) -> None:
    bridge().save(tmp_path / "geo.h5")
    with pytest.raises(ValueError, match=sentence):
        other(*ends()).load(tmp_path / "geo.h5")  # type: ignore[operator]


def test_files_of_other_methods_are_refused(tmp_path: Path) -> None:
    from stimsynth import Metamer

    Metamer(picture("camera"), Exponential()).save(tmp_path / "met.h5")
    with pytest.raises(ArchiveError, match="load it with a Metamer"):
        bridge().load(tmp_path / "met.h5")


@pytest.mark.parametrize("optimizer", [None, LBFGS()], ids=["adam", "lbfgs"])
def test_a_run_goes_on_in_another_precision(optimizer: object) -> None:
    model = remove_grad(nn.Sequential(Gaussian(3, 0.7), Exponential()))
    geo = Geodesic(*(end.float() for end in ends()), model, 4, "bridge")
    geo.synthesize(10, optimizer, store_progress=5)
    before = geo.geodesic
    geo.to(torch.float64)
    assert geo.saved_geodesic.dtype == torch.float32  # what was kept stays as it was
    assert geo.geodesic.dtype == geo.image_a.dtype == geo.energy_bound.dtype == torch.float64
    assert torch.equal(geo.geodesic.float(), before)
    geo.synthesize(10)
    assert geo.losses[-1] < geo.losses[10]
    assert torch.equal(geo.geodesic[:1].float(), ends()[0].float())


def test_an_optimizer_may_be_a_class_a_function_or_built(tmp_path: Path) -> None:
    by_class, by_function, by_instance = (bridge() for _ in range(3))
    settings = {"lr": 0.01, "amsgrad": True}
    halve = partial(torch.optim.lr_scheduler.StepLR, step_size=5, gamma=0.5)
    by_class.synthesize(8, torch.optim.Adam, optimizer_kwargs=settings, scheduler=halve)
    by_function.synthesize(8, partial(torch.optim.Adam, **settings), scheduler=halve)
    optimizer = torch.optim.Adam([by_instance.interior], **settings)
    by_instance.synthesize(
        8, optimizer, scheduler=halve, store_progress=2, progress_file=tmp_path / "g"
    )
    assert torch.equal(by_class.geodesic, by_function.geodesic)
    assert torch.equal(by_class.geodesic, by_instance.geodesic)
    assert by_instance.optimizer.param_groups[0]["lr"] == 0.005
    assert by_instance.saved_geodesic.shape == (5, 6, 1, 8, 8)


def test_a_penalty_is_summed_over_the_frames() -> None:
    dark = (0.05, lambda frame: frame.square().mean())
    plain, darker = (
        Geodesic(*ends(), blur(), 4, "bridge", seed=1, penalties=p) for p in ((), {"dark": dark})
    )
    for geo in (plain, darker):
        geo.synthesize(50, optimizer=LBFGS(bounds=(0, 1)))
        torch.testing.assert_close(geo.objective_function(), geo.losses[-1, 0])
    by_hand = 0.05 * sum(frame.square().mean() for frame in darker.geodesic)
    without = darker.step_energy[-1].mean()
    torch.testing.assert_close(darker.losses[-1, 0], without + by_hand)
    assert darker.geodesic[1:-1].square().sum() < plain.geodesic[1:-1].square().sum()
    assert torch.isfinite(darker.objective_function(darker.geodesic[:2]))
    darker.to(torch.float32)
    darker.synthesize(1)
    with pytest.raises(InputError, match="used twice"):
        Geodesic(*ends(), blur(), 4, penalties={"along line 4": dark})


# -- how it came out -------------------------------------------------------------------------------


def test_quality_tells_a_geodesic_from_a_beginning() -> None:
    geo = bridge()
    assert not geo.quality()[0].good
    geo.synthesize(600, optimizer=LBFGS(bounds=(0, 1)))
    (done,) = geo.quality()
    assert done.good
    assert done.figures["bound ratio"] == pytest.approx(1, abs=1e-4)
    fade = geo.objective_function(geo.pixelfade)
    assert done.figures["of pixelfade"] == pytest.approx((geo.losses[-1, 0] / fade).item())
    assert done.figures["off the line"] == pytest.approx(geo.dev_from_line[-1, :, 1].max().item())


def test_quality_tells_what_is_no_shorter_than_the_pixelfade() -> None:
    geo = bridge()
    geo.synthesize(3, stop_criterion=1e9, stop_iters_to_check=1)
    assert geo.status == (Status.CONVERGED,)
    ratio = geo.losses[-1, 0] / geo.objective_function(geo.pixelfade)
    assert ratio > 1
    assert f"{ratio:.3g} times the pixelfade's" in geo.quality()[0].verdict


def test_quality_tells_what_could_still_be_shorter() -> None:
    """A pixelfade, to a model that is not linear; with Jacobians written out in full."""
    model = nn.Sequential(blur(), Exponential())
    geo = Geodesic(*ends(), model, 4)
    geo.synthesize(0, stop_criterion=0.0)
    (judged,) = geo.quality()
    assert "a shorter sequence is close by" in judged.verdict
    energies = model(geo.pixelfade).diff(dim=0).square().sum((1, 2, 3))
    spread = (energies.max() - energies.min()) / energies.mean()
    assert judged.figures["uneven steps"] == pytest.approx(spread.item())
    y = model(geo.pixelfade).flatten(1)
    worst = 0.0
    for t in range(1, 4):
        jacobian = torch.func.jacrev(model)(geo.pixelfade[t][None]).reshape(64, 64)
        back, on = jacobian.T @ (y[t] - y[t - 1]), jacobian.T @ (y[t + 1] - y[t])
        worst = max(worst, ((on - back).norm() / (on.norm() + back.norm())).item())
    assert judged.figures["residual"] == pytest.approx(worst)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda a, b: Geodesic(a, b, Gaussian(3).double()), "remove_grad"),
        (
            lambda a, b: Geodesic(a, b[..., :4], nn.Identity()),
            r"not \(1, 1, 8, 8\) and \(1, 1, 8, 4",
        ),
        (lambda a, b: Geodesic(a.repeat(2, 1, 1, 1), b, nn.Identity()), "one image at a time"),
        (lambda a, b: Geodesic(a, a.clone(), nn.Identity()), "are equal"),
        (lambda a, b: Geodesic(a, b * torch.nan, nn.Identity()), "NaN"),
        (lambda a, b: Geodesic(a, b, nn.Identity(), 1), "n_steps must be a whole number of 2"),
        (lambda a, b: Geodesic(a, b, nn.Identity(), 2.5), "n_steps must be .* not 2.5"),
        (lambda a, b: Geodesic(a, b, nn.Identity(), 5, "curved"), "'straight' or 'bridge'"),
        (lambda a, b: Geodesic(a, b, nn.Identity(), n_starts=2), "needs initial_sequence='bridge'"),
        (lambda a, b: bridge(n_starts=0), "n_starts must be a whole number of 1"),
        (lambda a, b: bridge(range_penalty_lambda=-1.0), "range_penalty_lambda"),
        (lambda a, b: bridge(allowed_range=(1, 0)), "allowed_range"),
        (lambda a, b: bridge().calculate_jerkiness(torch.cat([a, b])), "with 3 frames or more"),
        (lambda a, b: bridge().objective_function(a), "with 2 frames or more"),
        (lambda a, b: bridge().objective_function(a[..., :4].repeat(3, 1, 1, 1)), "8, 8"),
        (lambda a, b: bridge().synthesize(-1), "max_iter"),
        (
            lambda a, b: bridge().synthesize(
                1, torch.optim.SGD([a.clone().requires_grad_()], lr=1)
            ),
            r"\[geodesic.interior\]",
        ),
    ],
)
def test_bad_input_gets_a_sentence(make: object, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        make(*ends())  # type: ignore[operator]


def test_nan_does_not_pass_silently() -> None:
    class Logarithm(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.log(x + 0.5)

    geo = Geodesic(*ends(), Logarithm(), 5)
    with pytest.raises(InputError, match="NaN"):
        geo.synthesize(50, partial(torch.optim.SGD, lr=1e4))
    assert geo.best == 0
    assert bool(torch.isfinite(geo.geodesic).all())


def test_a_start_that_is_lost_does_not_stop_the_others() -> None:
    """The second bridge goes over the edge of what the model takes, and the first does not."""
    tops = bridge(n_starts=2, n_steps=10).geodesics.amax((1, 2, 3, 4))
    edge = tops.mean()

    class Edged(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.log(edge - x)

    geo = bridge(Edged(), n_starts=2, n_steps=10)
    with pytest.raises(InputError, match="NaN"):
        geo.synthesize(5)
    lost = int(tops.argmax())
    assert geo.status[lost] is Status.NOT_FINITE
    assert geo.best == 1 - lost
    assert geo.losses[-1, geo.best] < geo.losses[0, geo.best]
    assert "not finite" in geo.quality()[lost].verdict


def test_what_a_bound_holds_is_at_rest() -> None:
    """The first pixel's path bends at the bound, the second's is straight: no step inside shortens it."""
    path = torch.tensor([[0.5, 0.25], [1.0, 0.375], [0.5, 0.5]]).view(3, 1, 1, 2)
    assert residual(nn.Identity(), path, (0, 1)).item() == 0
    alone = torch.tensor([0.5, 0.125]).norm()
    assert residual(nn.Identity(), path, (0, 2)).item() == pytest.approx(0.5 / alone.item())


# -- pictures --------------------------------------------------------------------------------------


def test_the_loss_is_drawn_as_it_fell() -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    from stimsynth.plots import plot_loss

    geo = bridge(n_starts=2)
    geo.synthesize(4)
    ax = Figure().add_subplot()
    assert plot_loss(geo, ax, linestyle=":") is ax
    assert ax.get_yscale() == "log"
    assert [line.get_ydata().tolist() for line in ax.lines[:2]] == geo.losses.T.tolist()
    assert ax.lines[0].get_linestyle() == ":"
    assert plot_loss(geo).figure is not ax.figure


def test_deviations_are_drawn_for_every_path() -> None:
    pytest.importorskip("matplotlib")
    from stimsynth.plots import plot_deviation_from_line

    geo = bridge(Spectrum())
    video = torch.cat([ends()[0], torch.rand(3, 1, 8, 8).double(), ends()[1]])
    ax = plot_deviation_from_line(geo, video.float())
    shown = {str(line.get_label()): line for line in ax.lines}
    assert list(shown) == ["pixelfade", "geodesic", "natural video"]
    for name, frames in (("geodesic", geo.geodesic), ("natural video", video)):
        # The Fourier transform keeps distances, but counts most frequencies once instead of twice.
        along, away = deviation_from_line(torch.view_as_real(Spectrum()(frames)))
        torch.testing.assert_close(
            torch.tensor(shown[name].get_ydata()), away, atol=1e-6, rtol=1e-5
        )
        torch.testing.assert_close(
            torch.tensor(shown[name].get_xdata()), along, atol=1e-6, rtol=1e-5
        )
    assert abs(shown["pixelfade"].get_ydata()).max() < 1e-12
    with pytest.raises(InputError, match="natural_video must have shape"):
        plot_deviation_from_line(geo, video[..., :4])
    few = SimpleNamespace(model=nn.Identity(), pixelfade=geo.pixelfade, geodesic=geo.geodesic)
    assert len(plot_deviation_from_line(few).lines) == 2
