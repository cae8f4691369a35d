"""Checks of what users hand in: every requirement has a case that breaks it and an error that says so."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from stimsynth.metrics import mse, nlpd, ssim
from stimsynth.models import Gaussian, Identity, OnOff
from stimsynth.validate import (
    checked_output,
    remove_grad,
    validate_coarse_to_fine,
    validate_input,
    validate_metric,
    validate_model,
    validate_penalty,
)
from stimuli_store.errors import InputError

IMAGE = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))


class Says(nn.Module):
    """A model, in evaluation mode, from a function."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function
        self.eval()

    def forward(self, x: Tensor) -> Any:
        return self.function(x)


def test_good_models_pass_silently() -> None:
    for dtype in (torch.float32, torch.float64):
        validate_model(remove_grad(Gaussian(7)).to(dtype).eval(), image_dtype=dtype)
    validate_model(Says(lambda x: torch.fft.fft2(x)))
    validate_model(Says(lambda x: x.abs()), image_dtype=torch.complex64)
    validate_model(Says(lambda x: x.mean((2, 3))[:, :, None]))
    validate_model(Says(lambda x: x.mean(1, keepdim=True)), image_shape=(2, 3, 8, 8))
    model = remove_grad(OnOff((31, 31), pretrained=True, cache_filt=True)).eval()
    validate_model(model, image_shape=(1, 1, 64, 64))


@pytest.mark.parametrize(
    ("model", "kind", "sentence"),
    [
        (Gaussian(7).eval(), ValueError, "remove_grad"),
        (Says(lambda x: x.detach().numpy()), ValueError, "returns ndarray"),
        (Says(lambda x: x.detach() * 2), ValueError, "strips the gradient"),
        (Says(lambda x: (x > 0.5).to(x.dtype)), ValueError, "strips the gradient"),
        (Says(lambda x: torch.from_numpy(x.numpy() * 2)), ValueError, "casts its input to numpy"),
        (Says(lambda x: x.double()), TypeError, "from torch.float32 to torch.float64"),
        (Says(lambda x: x.to(torch.complex128)), TypeError, "changes precision"),
        (Says(lambda x: x.mean((2, 3))), ValueError, r"shape \(1, 1\).*3 or 4"),
        (Says(lambda x: x[None]), ValueError, "3 or 4"),
        (Says(torch.round), ValueError, "strips the gradient.*rounding"),
        (Says(lambda x: x.mul_(2)), ValueError, "changes its input in place; use out-of-place"),
        (Says(lambda x: x[..., 1:].relu_()), ValueError, "changes its input in place"),
        (Says(lambda x: x.to("meta")), RuntimeError, "on cpu and returns one on meta"),
        (Says(lambda x: x / 0), ValueError, "holds NaN or infinite values"),
        (nn.Conv2d, TypeError, "Conv2d is a class; give a model of it"),
    ],
)
def test_a_model_that_breaks_a_rule_is_told_which(
    model: nn.Module, kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence) as caught:
        validate_model(model)
    assert isinstance(caught.value, InputError)


def test_a_gradient_that_cancels_in_the_plain_sum_is_one() -> None:
    validate_model(Says(lambda x: x - x.mean((2, 3), keepdim=True)))
    validate_model(Says(lambda x: x.flatten(2).softmax(-1)))


@pytest.mark.parametrize(
    "shape", [(16, 16), (1, 16, 16), (1, 1, 1, 16, 16), (1, 1, 0, 16), (1, 1, 8.5, 8), 16, ()]
)
@pytest.mark.parametrize(
    "check",
    [
        lambda shape: validate_model(Says(lambda x: 2 * x), image_shape=shape),
        lambda shape: validate_metric(mse, image_shape=shape),
        lambda shape: validate_penalty(lambda x: x.square().sum(), image_shape=shape),
        lambda shape: validate_coarse_to_fine(Bands(2), image_shape=shape),
    ],
)
def test_an_image_shape_that_is_not_four_numbers_is_refused(
    check: Callable[[Any], None], shape: Any
) -> None:
    with pytest.raises(InputError, match=r"image_shape, .* must be 4 whole numbers of 1"):
        check(shape)


def test_training_mode_is_warned_of_and_no_error() -> None:
    model = Identity().train()
    with pytest.warns(UserWarning, match="^model is in training mode, you probably want to call"):
        validate_model(model)


def test_an_error_inside_a_model_says_what_it_was_called_with() -> None:
    with pytest.raises(InputError, match="too small for a kernel") as caught:
        validate_model(remove_grad(Gaussian(101)).eval())
    assert "(1, 1, 16, 16)" in caught.value.__notes__[0]
    assert "image_shape" in caught.value.__notes__[0]


def test_validation_leaves_the_random_state_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    validate_model(Says(lambda x: x * 2))
    validate_metric(mse)
    validate_penalty(lambda x: x.square().sum())
    assert torch.equal(torch.rand(4), expected)


# -- images ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "arguments", "sentence"),
    [
        (IMAGE.int(), {}, "floating-point or complex.*int32"),
        (IMAGE.numpy(), {}, "ndarray.*torch.as_tensor"),
        (IMAGE[0], {}, r"\(1, 16, 16\).*image\[None, None\]"),
        (IMAGE.expand(2, -1, -1, -1), {"no_batch": True}, "one image at a time"),
        (IMAGE * 2, {"allowed_range": (0, 1)}, r"outside the allowed range \[0, 1\]"),
        (IMAGE - 1, {"allowed_range": (0, 1)}, "rescale or clamp"),
        (IMAGE / 0 * 0, {}, "NaN"),
        (IMAGE[..., :0], {}, r"empty.*\(1, 1, 16, 0\)"),
        (IMAGE[..., :0], {"allowed_range": (0, 1)}, "an image is empty"),
        (IMAGE[:0], {"no_batch": True, "allowed_range": (0, 1)}, "an image is empty"),
        (torch.fft.fft2(IMAGE), {"allowed_range": (0, 1)}, "complex values have no order"),
    ],
)
def test_bad_images_are_refused(image: Any, arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        validate_input(image, **arguments)


@pytest.mark.parametrize(
    ("image", "arguments"),
    [
        (IMAGE, {"no_batch": True, "allowed_range": (0, 1)}),
        (IMAGE.double(), {}),
        (torch.fft.fft2(IMAGE), {}),
        (torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2), {"allowed_range": (0, 1)}),
        (IMAGE[0], {"any_dims": True}),
    ],
)
def test_good_images_pass(image: Tensor, arguments: dict[str, Any]) -> None:
    validate_input(image, **arguments)
    assert image.requires_grad is False


# -- metrics and penalties -------------------------------------------------------------------------


def test_good_metrics_pass() -> None:
    for metric in (mse, lambda a, b: 1 - ssim(a, b), nn.L1Loss()):
        validate_metric(metric)
    validate_metric(nlpd, image_shape=(1, 1, 64, 64), image_dtype=torch.float64)


@pytest.mark.parametrize(
    ("metric", "kind", "sentence"),
    [
        ("mse", TypeError, "cannot be called; give a function of 2 images"),
        (lambda a: a.mean(), TypeError, "2 images"),
        (Identity(), TypeError, "2 images"),
        (lambda a, b: (a - b).square().mean((2, 3)).expand(2, 2), ValueError, r"shape \(2, 2\)"),
        (lambda a, b: float((a - b).square().mean()), ValueError, "returns float"),
        (ssim, ValueError, "is 1 for two identical images.*1 - similarity"),
        (lambda a, b: (a - b).mean() - 1, ValueError, "is -1 for two identical"),
        (lambda a, b: (a - b).mean() / 0, ValueError, "is nan for two identical"),
    ],
)
def test_a_metric_that_breaks_a_rule_is_told_which(
    metric: Any, kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence) as caught:
        validate_metric(metric)
    assert isinstance(caught.value, InputError)


def test_the_threshold_for_identical_images_is_the_documented_one() -> None:
    validate_metric(lambda a, b: (a - b).sum().abs() + 4.9e-7)
    with pytest.raises(ValueError, match="identical"):
        validate_metric(lambda a, b: (a - b).sum().abs() + 5.1e-7)
    with pytest.raises(InputError, match="for two different images, but a metric must be above 0"):
        validate_metric(lambda a, b: (a - b).sum())


def test_good_penalties_pass() -> None:
    validate_penalty(lambda image: (image - 0.5).clamp_min(0).square().sum())
    validate_penalty(lambda image: image.abs().mean(), image_dtype=torch.complex64)


@pytest.mark.parametrize(
    ("penalty", "kind", "sentence"),
    [
        (0.5, TypeError, "a function of 1 image "),
        (lambda a, b: a.sum() + b.sum(), TypeError, "1 image"),
        (lambda a: a.mean((2, 3)).expand(1, 2), ValueError, r"shape \(1, 2\)"),
        (lambda a: a.detach().sum(), ValueError, "strips the gradient"),
        (lambda a: a.sum().double(), TypeError, "precision"),
        (lambda a: torch.fft.fft2(a).sum(), TypeError, "complex"),
        (lambda a: a.sum() * nn.Parameter(torch.ones(())), ValueError, "learnable parameters"),
        (lambda a: a.sum().to("meta"), RuntimeError, "meta"),
    ],
)
def test_a_penalty_that_breaks_a_rule_is_told_which(
    penalty: Any, kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        validate_penalty(penalty)


# -- coarse to fine --------------------------------------------------------------------------------


class Bands(nn.Module):
    """A model of n scales that counts how often it is called; `same` is a scale it cannot leave out."""

    def __init__(self, n: int = 3, same: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.scales = list(range(n))
        self.same = same
        self.calls: list[Any] = []

    def forward(self, image: Tensor, scales: list[int] | None = None) -> Tensor:
        self.calls.append(scales)
        wanted = self.scales if scales is None else scales
        return torch.cat([image for s in self.scales if s in wanted or s in self.same], dim=1)


class Deaf(nn.Module):
    """A model with `scales` whose forward takes no such keyword, or ignores it."""

    scales = ("low", "high")

    def forward(self, image: Tensor) -> Tensor:
        return image


class Lax(Deaf):
    def forward(self, image: Tensor, **_: Any) -> Tensor:
        return image


@pytest.mark.parametrize(
    ("model", "kind", "sentence"),
    [
        (Identity(), AttributeError, "Identity has no attribute scales"),
        (Deaf(), TypeError, "takes no keyword scales"),
        (Lax(), ValueError, r"for scales=\['low'\] as for all"),
        (Bands(0), ValueError, "scales is empty"),
        (Bands(3, same=(1,)), ValueError, r"for scales=\[0, 2\] as for all"),
    ],
)
def test_a_model_that_is_not_coarse_to_fine_is_told_why(
    model: nn.Module, kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence) as caught:
        validate_coarse_to_fine(model)
    assert isinstance(caught.value, InputError)


@pytest.mark.parametrize(("n", "calls"), [(1, 1), (2, 3), (3, 7), (7, 15)])
def test_the_cost_of_the_check_grows_with_the_number_of_scales(n: int, calls: int) -> None:
    model = Bands(n)
    validate_coarse_to_fine(model, image_shape=(1, 1, 8, 8))
    assert len(model.calls) == calls
    subsets = [tuple(s) for s in model.calls if s is not None]
    assert len(set(subsets)) == len(subsets)
    assert all(0 < len(s) < n for s in subsets)


# -- the real image --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda x: x.mean((2, 3)) / 0, "NaN or infinite"),
        (lambda x: x.double(), "from torch.float32 to torch.float64"),
        (lambda x: x.sum(0), "the batch comes first"),
        (lambda x: x.mean((1, 2, 3)), "an output has two dimensions or more"),
        (lambda x: x.detach(), "strips the gradient"),
        (lambda x: x.tolist(), "returns list for a tensor"),
        (lambda x: x.mul_(2), "changes its input in place; use out-of-place"),
        (lambda x: torch.from_numpy(x.numpy()), "casts its input to numpy"),
    ],
)
def test_the_output_for_the_real_image_is_checked(
    function: Callable[[Tensor], Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        checked_output(Says(function), IMAGE.expand(2, -1, -1, -1))


def test_the_output_for_the_real_image_is_returned_detached() -> None:
    output = checked_output(Says(lambda x: 2 * x.flatten(1)), IMAGE)
    torch.testing.assert_close(output, 2 * IMAGE.flatten(1))
    assert not output.requires_grad


def test_training_mode_is_warned_of_where_it_makes_a_difference() -> None:
    dropping = remove_grad(nn.Sequential(nn.Conv2d(1, 1, 3), nn.Dropout()))
    by_batch = remove_grad(nn.BatchNorm2d(1, track_running_stats=False))
    with pytest.warns(UserWarning, match="training mode"):
        checked_output(by_batch, IMAGE)
    with pytest.raises(InputError, match=r"the model is random: .*eval"):
        checked_output(dropping, IMAGE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checked_output(dropping.eval(), IMAGE)
        checked_output(Identity().train(), IMAGE)


def test_remove_grad_detaches_parameters_and_buffers() -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 3), Gaussian(3))
    model.register_buffer("made", torch.ones(1, requires_grad=True) * 2)
    assert remove_grad(model) is model
    tensors = [*model.parameters(), *model.buffers()]
    assert len(tensors) == 4
    assert not any(t.requires_grad for t in tensors)
