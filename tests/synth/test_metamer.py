"""Metamer: the seeds' interface, known answers, and runs that can be stopped and continued."""

import inspect
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


def test_signatures_are_those_of_the_documentation() -> None:
    """Names, order and defaults, so that scripts that give arguments by place run as they are."""

    def shown(function: object) -> str:
        kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD,)
        parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
        given = [p for p in parameters if p.kind in kinds and p.name != "self"]
        return ", ".join(
            p.name
            if p.default is p.empty
            else f"{p.name}={getattr(p.default, '__name__', p.default)}"
            for p in given
        )

    assert shown(Metamer) == (
        "image, model, loss_function=mse, range_penalty_lambda=0.1, allowed_range=(0, 1), initial_image=None"
    )
    assert shown(Metamer.synthesize) == (
        "max_iter=100, optimizer=None, scheduler=None, store_progress=False, stop_criterion=0.0001, "
        "stop_iters_to_check=50"
    )


def test_arrays_and_lists_are_taken_for_images(picture: Tensor) -> None:
    given = Metamer(picture.numpy(), blur(), initial_image=picture.numpy())  # type: ignore[arg-type]
    assert torch.equal(given.image, picture)  # type: ignore[arg-type]
    assert Metamer(picture.tolist(), remove_grad(Gaussian(7))).metamer.dtype == torch.float32  # type: ignore[arg-type]


def test_the_start_becomes_like_the_image_and_stays_the_callers(picture: Tensor) -> None:
    start = images.load("grass", size=32)
    kept = start.clone()
    metamer = Metamer(picture, blur(), initial_image=start)
    assert metamer.metamer.dtype == torch.float64
    assert metamer.metamer.requires_grad
    assert metamer.metamer.is_leaf
    metamer.synthesize(3, optimizer=torch.optim.Adam)
    assert torch.equal(start, kept)
    assert not start.requires_grad
    assert not torch.equal(metamer.metamer.float(), kept)


def test_what_is_read_cannot_be_set(picture: Tensor) -> None:
    metamer = Metamer(picture, blur())
    public = {name for name in dir(Metamer) if isinstance(getattr(Metamer, name), property)}
    assert public - {"store_progress"} == {
        *("image", "model", "target_representation", "metamer", "saved_metamer", "run", "status"),
        *("losses", "gradient_norm", "pixel_change_norm", "optimizer"),
        *("allowed_range", "range_penalty_lambda", "seed"),
    }
    for name in public - {"store_progress"}:
        with pytest.raises(AttributeError):
            setattr(metamer, name, None)


def test_every_row_holds_the_norm_of_the_objectives_own_gradient(picture: Tensor) -> None:
    metamer = Metamer(picture, blur(), range_penalty_lambda=0.3)
    metamer.synthesize(4, optimizer=partial(torch.optim.SGD, lr=30.0), store_progress=1)
    for number, image in enumerate(metamer.saved_metamer):
        x = image.clone().requires_grad_(True)
        objective = mse(blur()(x), blur()(picture)) + 0.3 * penalize_range(x)
        (gradient,) = torch.autograd.grad(objective, x)
        assert metamer.losses[number].item() == pytest.approx(objective.item())
        assert metamer.gradient_norm[number].item() == pytest.approx(gradient.norm().item())


def test_adam_without_arguments_is_that_of_the_documentation(picture: Tensor) -> None:
    metamer = Metamer(picture, blur())
    metamer.synthesize(1, optimizer=torch.optim.Adam)
    (group,) = metamer.optimizer.param_groups
    assert (group["lr"], group["amsgrad"]) == (0.01, True)


def test_colours_are_channels(picture: Tensor) -> None:
    """A model that mixes three channels into one grey leaves two dimensions of every pixel free."""

    class Grey(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x * torch.tensor([0.3, 0.6, 0.1]).to(x).view(3, 1, 1)).sum(1, keepdim=True)

    colour = images.get("astronaut", as_gray=False)[..., :24, :24].double()
    metamer = Metamer(colour, Grey(), seed=1)
    metamer.synthesize(60)
    torch.testing.assert_close(Grey()(metamer.metamer), Grey()(colour), atol=1e-4, rtol=0)
    assert (metamer.metamer - colour).abs().mean() > 0.1


def test_complex_outputs_are_matched_in_both_parts(picture: Tensor) -> None:
    class Spectrum(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.fft.rfft2(x, norm="ortho")

    metamer = Metamer(picture, Spectrum())
    metamer.synthesize(60)
    torch.testing.assert_close(metamer.metamer, picture, atol=1e-3, rtol=0)


def test_a_smaller_criterion_stops_later(picture: Tensor) -> None:
    steps = []
    for criterion in (0.3, 0.03, 0.003):
        metamer = Metamer(picture, remove_grad(UniformPooling(16).double()), seed=1)
        metamer.synthesize(300, stop_criterion=criterion, stop_iters_to_check=5)
        assert metamer.run is not None
        steps.append(metamer.run.n_steps)
    assert steps == sorted(set(steps))


def test_gradients_may_be_off_around_it(picture: Tensor) -> None:
    with torch.no_grad():
        metamer = Metamer(picture, blur())
        metamer.synthesize(10)
    assert metamer.losses[-1] < 0.1 * metamer.losses[0]


def test_pixels_never_leave_the_range_and_the_loss_falls_by_orders(picture: Tensor) -> None:
    metamer = Metamer(picture, blur(), seed=3)
    metamer.synthesize(100, store_progress=10)
    assert metamer.saved_metamer.shape == (metamer.run.n_steps // 10 + 1, 1, 1, 32, 32)
    assert metamer.saved_metamer.min() >= 0
    assert metamer.saved_metamer.max() <= 1
    assert metamer.losses[-1] < 1e-4 * metamer.losses[0]


def test_the_objective_is_loss_plus_weighted_penalty(picture: Tensor) -> None:
    metamer = Metamer(picture, blur(), range_penalty_lambda=0.7, seed=1)
    metamer.synthesize(1, optimizer=partial(torch.optim.SGD, lr=3000.0))
    start = metamer.metamer.detach()
    assert penalize_range(start) > 1
    by_hand = mse(blur()(start), blur()(picture)) + 0.7 * penalize_range(start)
    assert metamer.objective_function().item() == pytest.approx(by_hand.item())
    other = torch.zeros_like(metamer.target_representation)
    given = metamer.objective_function(metamer.target_representation, other)
    by_hand = mse(blur()(picture), other) + 0.7 * penalize_range(start)
    assert given.item() == pytest.approx(by_hand.item())


def test_a_batch_equals_single_runs_in_loss(picture: Tensor) -> None:
    targets = torch.cat([picture, images.load("grass", size=32).double(), picture])
    together = Metamer(targets, blur(), seed=4)
    starts = together.metamer.detach().clone()
    together.synthesize(25)
    for item in range(3):
        one = slice(item, item + 1)
        alone = Metamer(targets[one], blur(), initial_image=starts[one])
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


def test_a_scheduler_that_waits_for_a_plateau_is_told_the_loss(picture: Tensor) -> None:
    wait = partial(torch.optim.lr_scheduler.ReduceLROnPlateau, patience=2, factor=0.1)
    stuck, moving = Metamer(picture, blur()), Metamer(picture, blur())
    stuck.synthesize(6, optimizer=partial(torch.optim.SGD, lr=1e-30), scheduler=wait)
    assert stuck.optimizer.param_groups[0]["lr"] == pytest.approx(1e-31)
    moving.synthesize(6, optimizer=partial(torch.optim.SGD, lr=30.0), scheduler=wait)
    assert moving.optimizer.param_groups[0]["lr"] == 30.0


def test_a_scheduler_class_is_built_on_the_optimizer(picture: Tensor) -> None:
    metamer = Metamer(picture, blur())
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau
    metamer.synthesize(2, optimizer=torch.optim.Adam, scheduler=plateau)
    assert metamer.run is not None
    assert metamer.run.state.scheduler.optimizer is metamer.optimizer


def test_a_scheduler_of_another_optimizer_is_refused(picture: Tensor) -> None:
    metamer = Metamer(picture, blur())
    other = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(other, step_size=3)
    with pytest.raises(InputError, match="built on another optimizer"):
        metamer.synthesize(2, optimizer=torch.optim.Adam, scheduler=scheduler)
    with pytest.raises(InputError, match="built on another optimizer"):
        metamer.synthesize(2, optimizer=ADAM([metamer.metamer]), scheduler=scheduler)


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
    with pytest.raises(InputError, match="keeps its optimizer and scheduler"):
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
        (
            lambda p: Metamer(p, blur()).synthesize(max_iter=2.5),
            "max_iter must be a whole number of 0",
        ),
        (
            lambda p: Metamer(p, blur()).synthesize(stop_iters_to_check=2.5),
            "stop_iters_to_check must be .* not 2.5",
        ),
        (
            lambda p: Metamer(p, blur()).synthesize(stop_criterion=-1.0),
            "stop_criterion must be a number",
        ),
        (lambda p: Metamer(p, blur()).synthesize(stop_criterion=None), "0 or more; not None"),
        (lambda p: Metamer(p * 255, blur()), r"outside the allowed range \[0, 1\]"),
        (
            lambda p: Metamer(p, lambda x: 2 * x),
            "<lambda> is a function: make it a forward method",
        ),
        (lambda p: Metamer(p, Matrix), r"Matrix is a class; give a model of it, Matrix\(…\)"),
        (lambda p: Metamer(p, blur(), lambda a, b: (a - b) ** 2), "return one number"),
        (lambda p: Metamer(p, blur(), lambda a, b: mse(a, b).item()), "<lambda> returns float"),
        (lambda p: Metamer(p, blur(), lambda a, b: mse(a, b).detach()), "strips the gradient"),
        (lambda p: Metamer(p, blur(), lambda a, b: mse(a, b).float()), "torch.float32 for outputs"),
        (lambda p: Metamer(p, blur(), lambda a: a.mean()), "a function of 2 model outputs"),
        (lambda p: Metamer(p, blur(), "mse"), "str cannot be called"),
        (
            lambda p: Metamer(None, blur(), initial_image=p, target_representation=p + 1j),
            "both must be real, or both complex",
        ),
    ],
)
def test_bad_input_gets_a_sentence(picture: Tensor, make: object, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        make(picture)  # type: ignore[operator]


@pytest.mark.long
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


def test_a_representation_is_taken_in_the_models_precision(picture: Tensor) -> None:
    goal = blur()(picture)
    metamer = Metamer(
        None,
        remove_grad(Gaussian(7, 1.5)),
        initial_image=images.load("grass", size=32),
        target_representation=goal.numpy(),  # type: ignore[arg-type]
    )
    metamer.synthesize(20)
    assert metamer.target_representation.dtype == torch.float32
    assert metamer.losses[-1] < 0.05 * metamer.losses[0]


class Joined(nn.Module):
    """The mean of a batch of two; one image as it is."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(0, keepdim=True) if len(x) == 2 else x.clone()


def test_a_model_that_joins_its_targets_is_met_by_one_image(picture: Tensor) -> None:
    two = torch.cat([picture, images.load("grass", size=32).double()])
    metamer = Metamer(two, Joined(), initial_image=picture)
    metamer.synthesize(30)
    torch.testing.assert_close(metamer.metamer, two.mean(0, keepdim=True), atol=1e-5, rtol=0)
    with pytest.raises(InputError, match="one initial_image; not 3"):
        Metamer(two, Joined(), initial_image=picture.repeat(3, 1, 1, 1))
    with pytest.raises(InputError, match="the batch comes first"):
        Metamer(two, Joined())


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
    with pytest.raises(InputError, match="2 targets and 3 start images"):
        Metamer(picture.repeat(2, 1, 1, 1), blur(), initial_image=starts[[0, 1, 1]])


@pytest.mark.parametrize("name", ["<lambda>", "loss", "penalty", "objective"])
def test_penalties_of_one_name_all_count(picture: Tensor, name: str) -> None:
    """Of (x - p)² + 2 (x - 0.2)² + 3 (x - 0.6)² the minimum is (p + 2.2) / 6."""
    low, high = (lambda x: (x - 0.2).square().mean()), (lambda x: (x - 0.6).square().mean())
    low.__name__ = high.__name__ = name
    metamer = Metamer(picture, nn.Identity(), penalties=[(2.0, low), (3.0, high)], seed=1)
    metamer.synthesize(15)
    torch.testing.assert_close(metamer.metamer, (picture + 2.2) / 6, rtol=0, atol=1e-5)
    torch.testing.assert_close(metamer.losses[-1], metamer.objective_function().detach())


def test_a_loss_that_changes_the_target_is_refused(picture: Tensor) -> None:
    def moving(ours: Tensor, target: Tensor) -> Tensor:
        target -= 0.01
        return (ours - target).square().mean()

    kept = picture.clone()
    with pytest.raises(InputError, match="changes the target"):
        Metamer(picture, nn.Identity(), loss_function=moving)
    assert torch.equal(picture, kept)


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
    loose.synthesize(200, optimizer=torch.optim.Adam, stop_criterion=0.0)
    assert not loose.quality()[0].good
    assert loose.quality()[0].figures["outside range"] == pytest.approx(
        ((loose.metamer < 0) | (loose.metamer > 1)).double().mean().item()
    )


def test_a_metamer_needs_a_target_and_a_size(picture: Tensor) -> None:
    with pytest.raises(InputError, match="needs a target"):
        Metamer(None, blur(), initial_image=picture)
    with pytest.raises(InputError, match="without an image needs an initial_image"):
        Metamer(None, blur(), target_representation=picture)


def test_signals_of_one_dimension_have_metamers() -> None:
    """Nothing is tied to pictures: a sound (batch, channel, 1, time) goes the same way."""
    sound = torch.sin(torch.linspace(0, 60, 256)).view(1, 1, 1, 256).double()
    metamer = Metamer(sound, nn.AvgPool2d((1, 8)), allowed_range=(-1, 1), seed=1)
    metamer.synthesize(60)
    assert metamer.quality()[0].good
    assert mse(metamer.metamer, sound) > 0.05


def test_quality_knows_a_near_start_and_a_target_out_of_reach(picture: Tensor) -> None:
    near = Metamer(picture, blur(), initial_image=(picture + 1e-6).clamp(0, 1))
    near.synthesize(5)
    assert "it equals the target" in near.quality()[0].verdict
    beyond = Metamer(
        None, nn.Identity(), target_representation=picture + 1, initial_image=picture, seed=1
    )
    beyond.synthesize(60)
    assert beyond.status[0].finished
    assert "wider allowed_range" in str(beyond.quality()[0])
