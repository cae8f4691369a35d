"""Eigendistortions of Berardino et al. (2017): the front end with published parameters, behind a disk."""

from functools import cache

import pytest
import torch
from torch import Tensor

import stimsynth as ss
from tests.synth.tutorials.looks import cycles

SIZE = 48  # the tutorial takes 64 without a GPU


def image_tensor() -> Tensor:
    return ss.images.load("chelsea", size=SIZE)


def front_end() -> torch.nn.Module:
    with pytest.warns(UserWarning, match="pretrained is True but cache_filt is False"):
        mdl_f = ss.OnOff(kernel_size=(31, 31), pretrained=True, apply_mask=True)
    return ss.remove_grad(mdl_f)


@cache
def synthesized() -> ss.Eigendistortion:
    eigendist_f = ss.Eigendistortion(image=image_tensor(), model=front_end())
    eigendist_f.synthesize(k=3, max_iter=600)
    return eigendist_f


def test_two_channels_behind_a_disk() -> None:
    response_f = front_end()(image_tensor())
    assert response_f.shape == (1, 2, SIZE, SIZE)
    corners = response_f[..., [0, 0, -1, -1], [0, -1, 0, -1]]
    assert bool((corners == 0).all())


def test_sizes_of_the_paper() -> None:
    image = torch.zeros(1, 1, 254, 254)
    said = repr(ss.Eigendistortion(image=image, model=front_end()))
    assert said == "Eigendistortion -- Input dim: 64516 | Output dim: 129032"


@pytest.mark.long
def test_three_at_each_end_are_certified() -> None:
    eig = synthesized()
    n = SIZE**2
    assert eig.eigendistortions.shape == (6, 1, SIZE, SIZE)
    assert eig.eigenindex.tolist() == [0, 1, 2, n - 3, n - 2, n - 1]
    assert bool((eig.eigenvalues.diff() <= 0).all())
    assert bool((eig.residuals < 1e-4).all())
    torch.testing.assert_close(eig.eigendistortions.flatten(1).norm(dim=1), torch.ones(6))


@pytest.mark.slow
def test_the_papers_size_needs_no_gpu() -> None:
    image = ss.images.load("chelsea", size=256)[..., :254, :254]
    eig = ss.Eigendistortion(image=image, model=front_end())
    eig.synthesize(max_iter=600)
    assert eig.eigendistortions.shape == (2, 1, 254, 254)
    assert bool((eig.residuals < 1e-4).all())


def test_what_is_seen_most_stays_within_the_disk_and_is_coarser_than_what_is_seen_least() -> None:
    eig = synthesized()
    places = torch.arange(SIZE) - (SIZE - 1) / 2
    outside = (places[:, None] ** 2 + places**2).sqrt() > SIZE / 2
    for most in eig.eigendistortions[:3, 0]:
        assert most[outside].square().sum() < 0.01  # of an area of a fifth
    assert cycles(eig.eigendistortions[0]) < 0.5 * cycles(eig.eigendistortions[-1])


def test_the_model_tells_them_apart_by_their_eigenvalues() -> None:
    """A small step along v changes the output by √λ times its length."""
    eig, model = synthesized(), front_end().double()
    image, step = image_tensor().double(), 1e-4
    for which in (0, 1, 2):
        moved = image + step * eig.eigendistortions[which].double()
        change = (model(moved) - model(image)).norm().item() / step
        assert change**2 == pytest.approx(eig.eigenvalues[which].item(), rel=1e-3)
    least = image + step * eig.eigendistortions[-1].double()
    assert (model(least) - model(image)).norm() < 1e-2 * step


def test_the_paper_takes_orthogonal_iteration() -> None:
    eig = ss.Eigendistortion(image=image_tensor(), model=front_end())
    eig.synthesize(k=3, method="power", max_iter=60)
    torch.testing.assert_close(
        eig.eigenvalues[:3], synthesized().eigenvalues[:3], rtol=1e-2, atol=0
    )


@pytest.mark.parametrize(("alpha", "rank"), [(3.0, 0), (4.0, -1)])
def test_they_are_shown_on_the_image(alpha: float, rank: int) -> None:
    pytest.importorskip("matplotlib")
    from stimsynth.plots import display_eigendistortion

    axes = display_eigendistortion(
        synthesized(), eigenindex=rank, alpha=alpha, title=f"img + {alpha} * dist", zoom=4
    )
    assert axes.get_title() == f"img + {alpha} * dist"


def test_an_image_can_be_standardized_for_a_network_and_shown_as_it_was() -> None:
    pytest.importorskip("matplotlib")
    from stimsynth.plots import display_eigendistortion

    image = image_tensor()
    standardized = ((image - image.mean()) / image.std()).repeat(1, 3, 1, 1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = torch.nn.Conv2d(3, 8, 5, padding=2)
    eig = ss.Eigendistortion(standardized, ss.remove_grad(layer))
    eig.synthesize(k=2)

    def unnormalize(x: Tensor) -> Tensor:
        return (x * image.std() + image.mean()).mean(1, keepdim=True)

    axes = display_eigendistortion(eig, 0, alpha=15.0, process_image=unnormalize)
    shown = torch.as_tensor(axes.images[0].get_array().data)
    grey = eig.eigendistortions[:1].mean(1, keepdim=True)
    expected = (image + 15 * image.std() * grey).clamp(0, 1)[0, 0]
    torch.testing.assert_close(shown, expected, atol=1e-5, rtol=0)
