"""Figures printed in plenoptic's tutorials, on the photographs that come with it."""

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import stimsynth as ss
from stimsynth.metrics import ms_ssim, mse, nlpd, ssim, ssim_map
from stimsynth.transforms import (
    add_noise,
    blur_downsample,
    center_crop,
    kurtosis,
    rescale,
    translation_sequence,
)
from tests.synth.tutorials.test_geodesic_tutorial import Fourier

pytestmark = pytest.mark.filterwarnings("ignore")  # what the peer warns of is its own


def photographs() -> Any:
    return pytest.importorskip("plenoptic").data


def jpeg(image: Tensor, quality: int) -> Tensor:
    stream = io.BytesIO()
    pixels = (ss.images.to_numpy(image.squeeze()) * 255).astype(np.uint8)
    Image.fromarray(pixels).save(stream, "jpeg", quality=quality)
    return torch.as_tensor(np.asarray(Image.open(stream)) / np.float32(255))[None, None]


def distorted(image: Tensor) -> Tensor:
    """Five distortions of nearly one mean squared error."""
    chance = torch.as_tensor(np.random.RandomState(0).rand(256, 256))
    threshold = 0.00651
    peppered = image.masked_fill(chance < threshold, 0).masked_fill(chance > 1 - threshold, 1)
    return torch.cat(
        [
            (image + 0.20515 * (2 * image - 1)).clamp(0, 1),
            (image + 0.05983).clamp(0, 1),
            jpeg(image, 4),
            ss.Gaussian(5, 2.68)(image),
            peppered,
        ]
    )


def test_metrics_of_five_distortions() -> None:
    image = photographs().einstein()
    others = distorted(image)
    for metric, figures, digits in (
        (mse, [3.578e-3, 3.579e-3, 3.579e-3, 3.579e-3, 3.578e-3], 1e-6),
        (ssim, [0.9229, 0.9901, 0.5904, 0.7393, 0.7281], 1e-4),
        (ms_ssim, [0.955, 0.999, 0.827, 0.949, 0.922], 1e-3),
        (nlpd, [0.2013, 0.0202, 0.4401, 0.2165, 0.3397], 1e-4),
    ):
        assert metric(others, image)[:, 0].tolist() == pytest.approx(figures, abs=0.51 * digits)


def test_metrics_of_two_photographs() -> None:
    image, other = photographs().einstein(), photographs().curie()
    assert nlpd(image, other).item() == pytest.approx(1.3507, abs=5e-5)
    assert ms_ssim(image, other).item() == 0
    noisy = add_noise(image, [2, 4, 8])
    assert mse(image, noisy)[:, 0].tolist() == pytest.approx([2, 4, 8], rel=1e-6)
    # 0.0026, 0.0016 and 0.0004 with one noise; the spread over noises is about 0.001.
    assert ssim(image, noisy)[:, 0].tolist() == pytest.approx([0.0026, 0.0016, 0.0004], abs=3e-3)


def test_similarity_depends_on_the_range() -> None:
    image = photographs().parrot(as_gray=True)
    worse = jpeg(image, 6)
    assert ssim(image, worse).item() == pytest.approx(0.7703, abs=5e-5)
    with pytest.warns(UserWarning, match=r"Image range falls outside \[0, 1\]"):
        wrong = ssim(255 * image, 255 * worse)
    assert wrong.item() == pytest.approx(0.4048, abs=1e-3)
    height, width = image.shape[-2:]
    assert ssim_map(image, worse).shape == (1, 1, height - 10, width - 10)


def test_the_video_of_a_translation_and_its_geodesics() -> None:
    image = blur_downsample(photographs().einstein(), n_scales=2)
    video = rescale(center_crop(translation_sequence(image, n_steps=20), 32), 0, 1)
    assert video.shape == (21, 1, 32, 32)
    for frame, figures in (
        (video[:1], (0.079997, 1.0, 0.488417, 0.149090, 3.337172)),
        (video[-1:], (0.0, 0.741736, 0.354389, 0.212748, 1.725743)),
    ):
        unbiased = kurtosis(frame.double()) * (1 - 1 / frame.numel()) ** 2
        found = (frame.min(), frame.max(), frame.mean(), frame.std(), unbiased)
        assert [x.item() for x in found] == pytest.approx(figures, abs=6e-7)
    moog = ss.Geodesic(video[:1], video[-1:], Fourier("amp"), 20, "bridge", seed=0)
    optimizer = torch.optim.Adam([moog.interior], lr=0.01, amsgrad=True)
    moog.synthesize(max_iter=500, optimizer=optimizer)
    assert moog.losses[-1].item() == pytest.approx(83.254, abs=6e-4)
    assert len(moog.losses) < 200


def test_stop_criteria_of_geodesics(capsys: pytest.CaptureFixture[str]) -> None:
    image = blur_downsample(photographs().einstein(), n_scales=2)
    video = rescale(center_crop(translation_sequence(image, n_steps=20), 32), 0, 1)
    for n_steps, figure in ((20, "1.07149e-02"), (10, "7.76675e-03")):
        moog = ss.Geodesic(video[:1], video[-1:], Fourier("amp"), n_steps)
        moog.synthesize(max_iter=1)
        assert capsys.readouterr().out == f"Stop criterion for pixel_change_norm = {figure}\n"


def test_weights_that_balance_two_metrics() -> None:
    """The tutorial on extensions: 0.1 from the other photograph, 0.01 from noise."""

    def dissimilarity(*images: Tensor) -> Tensor:
        return 1 - ssim(*images)

    image, other = photographs().einstein(), photographs().curie()
    for start, figure in (({"initial_image": other}, 0.1), ({"seed": 0}, 0.01)):
        with pytest.warns(UserWarning, match="automatically set to"):
            mad = ss.MADCompetition(
                image,
                mse,
                dissimilarity,
                "min",
                metric_tradeoff_lambda="auto",
                **start,  # type: ignore[arg-type]
            )
        assert mad.metric_tradeoff_lambda == pytest.approx(figure)


def test_texture_statistics_are_counted_as_in_the_tutorial() -> None:
    image = photographs().reptile_skin()
    model = ss.PortillaSimoncelli(image.shape[-2:], spatial_corr_width=9)
    assert model(image).shape == (1, 1, 1046)
    assert model(image, scales=[0]).shape == (1, 1, 261)


@pytest.mark.slow
def test_distortions_of_the_parrot_at_the_papers_size() -> None:
    image = photographs().parrot(as_gray=True)[..., :254, :254]
    model = ss.remove_grad(ss.OnOff((31, 31), pretrained=True, apply_mask=True, cache_filt=True))
    eig = ss.Eigendistortion(image, model)
    eig.synthesize(k=3, max_iter=2000)
    assert repr(eig).startswith("Eigendistortion -- Input dim: 64516 | Output dim: 129032")
    assert bool((eig.residuals < 1e-4).all())
    places = torch.arange(254) - 126.5
    outside = (places[:, None] ** 2 + places**2).sqrt() > 127
    assert eig.eigendistortions[:3, 0][:, outside].square().sum() < 0.01
