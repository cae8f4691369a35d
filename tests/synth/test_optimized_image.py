"""Images for objectives of one's own: known optima with and without constraints."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from stimsynth import OptimizedImage, features, images, remove_grad
from stimsynth.engine.run import Status
from stimuli_store.errors import InputError


def filt(size: int = 16) -> Tensor:
    one = images.grating(size, cycles_per_image=3, direction_deg=40)
    return (one - one.mean()).double().flatten()


def response(image: Tensor) -> Tensor:
    return (image.flatten() * filt(image.shape[-1])).sum()


def start(n: int = 1, size: int = 16) -> Tensor:
    noise = [images.uniform_noise((1, 1, size, size), s, (0.45, 0.55)) for s in range(n)]
    return torch.cat(noise).double()


def test_without_constraints_every_pixel_goes_to_its_bound() -> None:
    best = OptimizedImage(start(), response)
    best.synthesize(50)
    moved = filt().view(1, 1, 16, 16) != 0
    assert torch.equal(best.image[moved], (filt() > 0).double().view_as(best.image)[moved])
    worst = OptimizedImage(start(), response, "min")
    worst.synthesize(50)
    assert torch.equal(worst.image[moved], (filt() < 0).double().view_as(best.image)[moved])


def test_of_given_mean_and_contrast_the_filter_itself_is_best() -> None:
    """Cauchy–Schwarz: among images of mean m and variance v, x = m + sqrt(v) f / sd(f) is best."""
    begun = start(2)
    best = OptimizedImage(begun, response, held={"mean": torch.mean, "variance": (torch.var, 0.01)})
    best.synthesize(100, stop_criterion=1e-10)
    for item in range(2):
        f = filt()
        answer = begun[item].mean() + 0.1 * f / f.std()
        torch.testing.assert_close(best.image[item].flatten(), answer, atol=1e-4, rtol=0)
        assert best.quality()[item].good
        assert best.quality()[item].figures["drift of variance"] == pytest.approx(0, abs=1e-7)
    assert best.objectives[-1].min() > best.objectives[0].max()


def test_a_penalty_pulls_with_its_weight() -> None:
    """max f·x − w |x − 1/2|² / 2 is at x = 1/2 + f / w."""
    best = OptimizedImage(
        start(), response, penalties={"energy": (20.0, lambda x: (x - 0.5).square().sum() / 2)}
    )
    best.synthesize(100, stop_criterion=1e-12)
    torch.testing.assert_close(best.image.flatten(), 0.5 + filt() / 20, atol=1e-6, rtol=0)


def test_a_unit_of_a_network_is_driven_up() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 5), nn.Softplus(), nn.Conv2d(4, 3, 5), nn.Softplus())
    layer = features(remove_grad(net).eval().double(), "2")
    best = OptimizedImage(
        start(size=32), lambda x: layer(x)[0, 1, 10, 10], held={"contrast": (torch.std, 0.1)}
    )
    best.synthesize(100)
    assert best.objectives[-1] > best.objectives[0]
    untouched = best.image[..., 25:, 25:].std()  # what the unit does not see need not change much
    assert best.image.std().item() == pytest.approx(0.1, rel=1e-6)
    assert untouched < best.image[..., 10:19, 10:19].std()


def test_it_is_saved_and_goes_on(tmp_path: Path) -> None:
    def make() -> OptimizedImage:
        return OptimizedImage(start(), response, held={"mean": torch.mean, "sd": (torch.std, 0.1)})

    whole, first, later = make(), make(), make()
    whole.synthesize(9)
    first.synthesize(4)
    first.save(tmp_path / "o.h5")
    later.load(tmp_path / "o.h5")
    later.synthesize(5)
    assert torch.equal(later.image, whole.image)
    with pytest.raises(ValueError, match="objective was"):
        OptimizedImage(start(), torch.mean, held={"mean": torch.mean, "sd": (torch.std, 0.1)}).load(
            tmp_path / "o.h5"
        )


def test_what_cannot_be_reached_is_said() -> None:
    image = OptimizedImage(start(), response, held={"mean": (torch.mean, 2.0)})
    image.synthesize(5)
    assert image.status == (Status.UNREACHED,)
    assert not image.quality()[0].good


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: OptimizedImage(start(), response, "most"), "minmax"),  # type: ignore[arg-type]
        (lambda: OptimizedImage(start(), lambda x: x), "returns shape"),
        (
            lambda: OptimizedImage(start(), response, held={"penalty": torch.mean}),
            "a name of its own",
        ),
        (
            lambda: OptimizedImage(start(), response, held={"m": torch.mean}).synthesize(
                optimizer=torch.optim.Adam
            ),
            "cannot hold functions",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(make: object, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        make()  # type: ignore[operator]
