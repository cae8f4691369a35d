"""Metrics against scikit-image and plenoptic, where those are installed (the [peers] extra)."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from stimsynth.images import load
from stimsynth.metrics import ms_ssim, nlpd, normalized_laplacian_pyramid, ssim
from stimsynth.transforms.pyramids.laplacian import LaplacianPyramid

pytestmark = pytest.mark.filterwarnings("ignore")  # what peers warn of is theirs


def pair(size: int) -> tuple[Tensor, Tensor]:
    one = load("coffee", size=size).double()
    noise = torch.rand(one.shape, generator=torch.Generator().manual_seed(2)).double()
    return one, (0.7 * one + 0.3 * noise).clamp(0, 1)


def test_ssim_is_scikit_images() -> None:
    metrics = pytest.importorskip("skimage.metrics")
    one, two = pair(128)
    theirs, whole = metrics.structural_similarity(
        one[0, 0].numpy(),
        two[0, 0].numpy(),
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    inner = whole[5:-5, 5:-5].mean()  # where the whole window fits
    assert ssim(one, two).item() == pytest.approx(inner, rel=1e-9)
    assert theirs == pytest.approx(inner, abs=0.02)


@pytest.fixture
def float64_by_default() -> Iterator[None]:
    """The peer makes its windows in the default type, whatever the images' type is."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.usefixtures("float64_by_default")
@pytest.mark.parametrize("size", [192, 255])
def test_ssim_and_ms_ssim_are_plenoptics(size: int) -> None:
    peer = pytest.importorskip("plenoptic").metric
    one, two = pair(size)
    for weighted in (False, True):
        for pad in (False, "reflect", "constant"):
            theirs = peer.ssim(one, two, weighted=weighted, pad=pad)
            torch.testing.assert_close(ssim(one, two, weighted, pad), theirs, rtol=1e-6, atol=0)
    torch.testing.assert_close(ms_ssim(one, two), peer.ms_ssim(one, two), rtol=1e-6, atol=0)


@pytest.mark.parametrize("size", [128, 101])
@pytest.mark.parametrize("scale_filter", [False, True])
def test_the_laplacian_pyramid_is_plenoptics(size: int, scale_filter: bool) -> None:
    peer = pytest.importorskip("plenoptic").process
    one, _ = pair(size)
    theirs = peer.LaplacianPyramid(n_scales=4, scale_filter=scale_filter)(one)
    for ours, expected in zip(LaplacianPyramid(4, scale_filter)(one), theirs, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.long
@pytest.mark.parametrize("size", [128, 101])
def test_the_laplacian_pyramid_is_pyrtools_away_from_borders(size: int) -> None:
    pyrtools = pytest.importorskip("pyrtools")
    one, _ = pair(size)
    theirs = pyrtools.pyramids.LaplacianPyramid(one[0, 0].numpy(), height=3)
    for scale, ours in enumerate(LaplacianPyramid(3)(one)):
        expected = torch.from_numpy(theirs.pyr_coeffs[scale, 0])
        torch.testing.assert_close(ours[0, 0, 8:-8, 8:-8], expected[8:-8, 8:-8])


@pytest.mark.usefixtures("float64_by_default")
@pytest.mark.parametrize("size", [128, 101])
def test_nlpd_is_plenoptics(size: int) -> None:
    peer = pytest.importorskip("plenoptic")
    one, two = pair(size)
    theirs = peer.metric.nlpd(one, two)
    torch.testing.assert_close(nlpd(one, two), theirs, rtol=1e-6, atol=0)
    assert len(normalized_laplacian_pyramid(one)) == 6
