"""Metamer: the seeds' interface, known answers, and runs that can be stopped and continued."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from stimsynth import Gaussian, Metamer, UniformPooling, images, remove_grad
from stimsynth.engine.run import Status
from stimsynth.losses import l2_norm, mse, penalize_range
from stimuli_store.errors import InputError


class Matrix(nn.Module):
    """y = A x for images of 4 × 4: sees 6 of 16 dimensions."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        self.register_buffer("weight", torch.randn(6, 16, generator=generator).double())

    def forward(self, x: Tensor) -> Tensor:
        return (x.flatten(1) @ self.weight.T)[:, None]


@pytest.fixture
def picture() -> Tensor:
    return images.load("camera", size=32).double()


def blur() -> nn.Module:
    return remove_grad(Gaussian(7, 1.5).double())


def test_a_linear_models_metamer_is_the_projection_of_its_start() -> None:
    """Gradient steps stay in the model's row space, so x = x0 + A⁺ (A t - A x0), if no bound is met."""
    model = Matrix()
    target = (
        0.5 + 0.05 * torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(1)).double()
    )
    start = (
        0.5 + 0.05 * torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(2)).double()
    )
    metamer = Metamer(target, model, initial_image=start)
    metamer.synthesize(200, stop_criterion=1e-12)
    gap = (target - start).flatten(1) @ model.weight.T
    answer = start + (gap @ torch.linalg.pinv(model.weight).T).view_as(start)
    torch.testing.assert_close(metamer.metamer, answer, atol=1e-6, rtol=0)


def test_defaults_are_those_of_the_documentation(picture: Tensor) -> None:
    metamer = Metamer(picture, blur())
    assert metamer.allowed_range == (0, 1)
    assert metamer.range_penalty_lambda == 0.1
    assert metamer.metamer.min() >= 0
    assert metamer.metamer.max() <= 1
    torch.testing.assert_close(metamer.target_representation, blur()(picture))
    assert metamer.synthesize(max_iter=3) is None
    assert metamer.losses.shape == metamer.gradient_norm.shape == (4, 1)
    assert len(metamer.saved_metamer) == 0


def test_pixels_never_leave_the_range_and_the_loss_falls_by_orders(picture: Tensor) -> None:
    metamer = Metamer(picture, blur(), seed=3)
    metamer.synthesize(100, store_progress=10)
    assert metamer.saved_metamer.shape == (metamer.run.n_steps // 10 + 1, 1, 1, 32, 32)
    assert metamer.saved_metamer.min() >= 0
    assert metamer.saved_metamer.max() <= 1
    assert metamer.losses[-1] < 1e-4 * metamer.losses[0]


def test_the_objective_is_loss_plus_weighted_penalty(picture: Tensor) -> None:
    start = picture * 3 - 1
    metamer = Metamer(picture, blur(), range_penalty_lambda=0.7, initial_image=start)
    by_hand = mse(blur()(start), blur()(picture)) + 0.7 * penalize_range(start)
    assert metamer.objective_function().item() == pytest.approx(by_hand.item())
    other = torch.zeros_like(metamer.target_representation)
    given = metamer.objective_function(metamer.target_representation, other)
    by_hand = mse(blur()(picture), other) + 0.7 * penalize_range(start)
    assert given.item() == pytest.approx(by_hand.item())


def test_a_batch_equals_single_runs_in_loss(picture: Tensor) -> None:
    targets = torch.cat([picture, images.load("grass", size=32).double(), picture])
    together = Metamer(targets, blur(), seed=4)
    together.synthesize(25)
    for item in range(3):
        alone = Metamer(targets[item : item + 1], blur(), seed=4 + item)
        alone.synthesize(25)
        torch.testing.assert_close(
            alone.losses[-1], together.losses[-1, item : item + 1], rtol=1e-5, atol=0
        )


@pytest.mark.parametrize("loss", [mse, l2_norm, lambda a, b: (a - b).abs().pow(1.5).mean()])
def test_any_scalar_loss_can_be_used(picture: Tensor, loss: object) -> None:
    metamer = Metamer(picture, blur(), loss_function=loss)  # type: ignore[arg-type]
    metamer.synthesize(30)
    assert metamer.losses[-1] < 0.5 * metamer.losses[0]


def test_a_loss_that_branches_on_values_works_too(picture: Tensor) -> None:
    def branching(a: Tensor, b: Tensor) -> Tensor:
        return mse(a, b) if mse(a, b) > 1e-3 else 0.5 * mse(a, b)

    metamer = Metamer(picture.repeat(2, 1, 1, 1), blur(), loss_function=branching)
    metamer.synthesize(20)
    assert bool((metamer.losses[-1] < 0.1 * metamer.losses[0]).all())


ADAM = partial(torch.optim.Adam, lr=0.02, amsgrad=True)


def test_a_torch_optimizer_as_class_or_instance_gives_the_same(picture: Tensor) -> None:
    by_class = Metamer(picture, blur(), seed=1)
    by_class.synthesize(20, optimizer=lambda x: ADAM(x))
    by_instance = Metamer(picture, blur(), seed=1)
    by_instance.synthesize(20, optimizer=ADAM([by_instance.metamer]))
    assert torch.equal(by_class.metamer, by_instance.metamer)
    assert by_class.losses[-1] < by_class.losses[0]


def test_adams_first_step_is_adams(picture: Tensor) -> None:
    """Adam's first step has size lr in every pixel, against the gradient of the summed objective."""
    metamer = Metamer(picture, blur(), seed=1)
    start = metamer.metamer.detach().clone().requires_grad_(True)
    objective = mse(blur()(start), blur()(picture)) + 0.1 * penalize_range(start)
    (gradient,) = torch.autograd.grad(objective, start)
    metamer.synthesize(1, optimizer=partial(torch.optim.Adam, lr=0.01, eps=1e-30))
    torch.testing.assert_close(metamer.metamer, start.detach() - 0.01 * gradient.sign())


def test_a_scheduler_changes_the_learning_rate(picture: Tensor) -> None:
    metamer = Metamer(picture, blur())
    halve = partial(torch.optim.lr_scheduler.StepLR, step_size=5, gamma=0.5)
    metamer.synthesize(10, optimizer=partial(torch.optim.SGD, lr=1.0), scheduler=halve)
    assert metamer.optimizer.param_groups[0]["lr"] == pytest.approx(0.25)


def test_torch_lbfgs_runs_through_its_closure(picture: Tensor) -> None:
    metamer = Metamer(picture, blur())
    metamer.synthesize(
        5, optimizer=partial(torch.optim.LBFGS, max_iter=8, line_search_fn="strong_wolfe")
    )
    assert metamer.losses[-1] < 1e-2 * metamer.losses[0]


@pytest.mark.parametrize("optimizer", [None, ADAM])
def test_two_calls_equal_one(picture: Tensor, optimizer: object) -> None:
    whole, parts = (Metamer(picture, blur(), seed=2) for _ in range(2))
    whole.synthesize(30, optimizer=optimizer, store_progress=2)
    parts.synthesize(13, optimizer=optimizer, store_progress=2)
    parts.synthesize(17, store_progress=2)
    assert torch.equal(whole.metamer, parts.metamer)
    assert torch.equal(whole.losses, parts.losses)
    assert torch.equal(whole.saved_metamer, parts.saved_metamer)


def test_continuing_refuses_another_optimizer_or_storage(picture: Tensor) -> None:
    metamer = Metamer(picture, blur())
    metamer.synthesize(2, store_progress=1)
    with pytest.raises(InputError, match="leave them None"):
        metamer.synthesize(2, optimizer=ADAM, store_progress=1)
    with pytest.raises(InputError, match="store_progress was 1"):
        metamer.synthesize(2, store_progress=3)
    metamer.synthesize(2)
    assert len(metamer.saved_metamer) == 5


def test_convergence_is_reached_and_said(picture: Tensor) -> None:
    metamer = Metamer(picture.float(), remove_grad(UniformPooling(16)), seed=1)
    with pytest.warns(UserWarning, match="Loss has converged, stopping synthesis"):
        metamer.synthesize(1000, stop_criterion=1e-2, stop_iters_to_check=20)
    assert metamer.status[0] in (Status.CONVERGED, Status.PRECISE)
    assert metamer.run.n_steps < 1000


def test_nan_does_not_pass_silently(picture: Tensor) -> None:
    class Fragile(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.log(x)

    metamer = Metamer(picture + 0.1, Fragile(), allowed_range=(-1, 2), initial_image=picture + 0.05)
    with pytest.raises(InputError, match="NaN"):
        metamer.synthesize(50, optimizer=partial(torch.optim.SGD, lr=1e4))
    assert bool(torch.isnan(metamer.losses[-1]).all())
    assert bool(torch.isfinite(metamer.objective_function()).all())


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda p: Metamer(p, Gaussian(7).double()), "remove_grad"),
        (lambda p: Metamer(p[0], blur()), "shape"),
        (lambda p: Metamer((p * 255).long(), blur()), "floating-point"),
        (lambda p: Metamer(p, blur(), range_penalty_lambda=-1.0), "range_penalty_lambda"),
        (lambda p: Metamer(p, blur(), allowed_range=(1, 0)), "allowed_range"),
        (lambda p: Metamer(p, blur(), initial_image=p[..., :16]), "initial_image of shape"),
        (lambda p: Metamer(p * torch.nan, blur()), "NaN"),
        (lambda p: Metamer(p.float(), blur()), "float32"),
        (lambda p: Metamer(p, nn.Flatten(0)), "batch comes first"),
        (
            lambda p: Metamer(p, blur()).synthesize(
                optimizer=torch.optim.SGD([p.requires_grad_()], lr=1)
            ),
            r"\[metamer.metamer\]",
        ),
        (lambda p: Metamer(p, blur()).synthesize(max_iter=-1), "max_iter"),
    ],
)
def test_bad_input_gets_a_sentence(picture: Tensor, make: object, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        make(picture)  # type: ignore[operator]


def test_a_representation_can_be_the_target(picture: Tensor) -> None:
    """The mean of two outputs of a linear model is met exactly by the mean of the two images."""
    model, other = blur(), images.load("grass", size=32).double()
    goal = (model(picture) + model(other)) / 2
    metamer = Metamer(None, model, target_representation=goal, initial_image=picture)
    metamer.synthesize(150, stop_criterion=1e-12)
    assert metamer.image is None
    torch.testing.assert_close(model(metamer.metamer), goal, atol=1e-3, rtol=0)
    wanted = Metamer((picture + other) / 2, model, initial_image=picture)
    wanted.synthesize(150, stop_criterion=1e-12)
    torch.testing.assert_close(metamer.metamer, wanted.metamer, atol=1e-5, rtol=0)


def test_a_start_of_another_size_meets_statistics() -> None:
    class Moments(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([x.mean((1, 2, 3)), x.var((1, 2, 3))], dim=1)[:, None]

    target = images.load("grass", size=32).double()
    start = images.uniform_noise((1, 1, 48, 20), 1, (0, 1)).double()
    metamer = Metamer(target, Moments(), initial_image=start)
    metamer.synthesize(100, stop_criterion=1e-12)
    assert metamer.metamer.shape == (1, 1, 48, 20)
    assert metamer.metamer.mean().item() == pytest.approx(target.mean().item(), abs=1e-5)
    assert metamer.metamer.var().item() == pytest.approx(target.var().item(), abs=1e-5)
    assert metamer.quality()[0].good


def test_one_target_serves_several_starts(picture: Tensor) -> None:
    starts = torch.cat([images.uniform_noise((1, 1, 32, 32), s, (0, 1)).double() for s in (1, 2)])
    both = Metamer(picture, blur(), initial_image=starts)
    both.synthesize(15)
    alone = Metamer(picture, blur(), initial_image=starts[1:])
    alone.synthesize(15)
    torch.testing.assert_close(both.losses[:, 1:], alone.losses, rtol=1e-5, atol=0)
    with pytest.raises(InputError, match="2 targets and 3 images"):
        Metamer(picture.repeat(2, 1, 1, 1), blur(), initial_image=starts[[0, 1, 1]])


def test_penalties_are_terms_of_their_own(picture: Tensor) -> None:
    """min |x - t|² / n + w |x - c|² / n has its minimum at the weighted mean of t and c."""

    def towards_half(image: Tensor) -> Tensor:
        return mse(image, torch.full_like(image, 0.5))

    metamer = Metamer(
        picture, nn.Identity(), penalties=[(3.0, towards_half)], initial_image=picture
    )
    metamer.synthesize(60, stop_criterion=1e-14)
    torch.testing.assert_close(metamer.metamer, (picture + 1.5) / 4, atol=1e-5, rtol=0)
    assert "towards_half" in metamer.run.history
    by_hand = mse(metamer.metamer, picture) + 3 * towards_half(metamer.metamer)
    assert metamer.objective_function().item() == pytest.approx(by_hand.item())


def test_quality_tells_a_metamer_from_a_failure(picture: Tensor) -> None:
    metamer = Metamer(picture, blur(), seed=1)
    (begun,) = metamer.quality()
    assert not begun.good
    assert begun.figures["share of start"] == 1
    metamer.synthesize(100)
    (done,) = metamer.quality()
    gap = (blur()(metamer.metamer) - blur()(picture)).norm() / blur()(picture).norm()
    assert done.good
    assert done.figures["relative error"] == pytest.approx(gap.item())
    loose = Metamer(picture, blur(), range_penalty_lambda=0.0, seed=1)
    loose.synthesize(400, optimizer=torch.optim.Adam, stop_criterion=0.0)
    assert not loose.quality()[0].good
    assert loose.quality()[0].figures["outside range"] == pytest.approx(
        ((loose.metamer < 0) | (loose.metamer > 1)).double().mean().item()
    )


def test_a_metamer_needs_a_target_and_a_size(picture: Tensor) -> None:
    with pytest.raises(InputError, match="needs a target"):
        Metamer(None, blur(), initial_image=picture)
    with pytest.raises(InputError, match="give an initial_image"):
        Metamer(None, blur(), target_representation=picture)


def test_signals_of_one_dimension_have_metamers() -> None:
    """Nothing is tied to pictures: a sound (batch, channel, 1, time) goes the same way."""
    sound = torch.sin(torch.linspace(0, 60, 256)).view(1, 1, 1, 256).double()
    metamer = Metamer(sound, nn.AvgPool2d((1, 8)), allowed_range=(-1, 1), seed=1)
    metamer.synthesize(60)
    assert metamer.quality()[0].good
    assert mse(metamer.metamer, sound) > 0.05
