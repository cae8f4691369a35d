"""Plotting lines of the documentation that the project is built from, with our names."""

from functools import cache
from typing import Any

import pytest
import torch

from stimsynth import (
    Eigendistortion,
    Gaussian,
    Geodesic,
    MADCompetition,
    Metamer,
    OnOff,
    PortillaSimoncelli,
    images,
    plots,
    remove_grad,
    transforms,
)
from stimsynth.metrics import mse, ssim
from stimuli_store.tools.figures import new_figure

pytest.importorskip("matplotlib")


def one_minus_ssim(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return 1 - ssim(x, y)


@cache
def made() -> dict[str, Any]:
    """The objects of the tutorials, at a small size."""
    img = images.load("camera", size=32).double()
    model = remove_grad(OnOff((7, 7)).eval().double())
    met = Metamer(img, model, seed=0)
    met.synthesize(max_iter=12, store_progress=True)
    pairs = {"one": (one_minus_ssim, mse), "two": (mse, one_minus_ssim)}
    four = {
        f"{name}_{end}": MADCompetition(img, *pair, end, seed=0)  # type: ignore[arg-type]
        for end in ("min", "max")
        for name, pair in pairs.items()
    }
    for mad in four.values():
        mad.synthesize(max_iter=2)
    eig = Eigendistortion(img[..., :8, :8], remove_grad(Gaussian(3).double()))
    eig.synthesize(k=2)
    moog = Geodesic(img, img.flip(-1), remove_grad(Gaussian(3).double()), 4, seed=0)
    moog.synthesize(max_iter=2)
    pyramid = transforms.SteerablePyramidFreq((32, 32), height=2, is_complex=True, downsample=False)
    coeffs = pyramid(torch.cat([img, 1 - img]))
    tensor, _ = pyramid.convert_pyr_to_tensor(coeffs, split_complex=False)
    return {
        "img": img,
        "model": model,
        "met": met,
        "all_mad": four,
        "mad": four["one_min"],
        "eig": eig,
        "moog": moog,
        "pyr_coeffs_complex": coeffs,
        "coeffs": tensor,
        "rgb": torch.rand(2, 3, 16, 16),
        "ps": PortillaSimoncelli((32, 32), n_scales=2, spatial_corr_width=3).double(),
        "rep": model(img),
        "torch": torch,
        "po": plots,
        "axes": new_figure(17, 6, dpi=72).subplots(1, 3),
        "fig": new_figure(17, 12, dpi=72),
    }


#: Line of the seeds, with `plots` for the module of a function.
LINES = """
po.imshow(img)
po.imshow(rgb, as_rgb=True)
po.imshow(coeffs[:, 1:-1], batch_idx=0)
po.imshow(coeffs[:, 1:-1], channel_idx=0)
po.imshow([img, 2 * img], vrange='auto1')
po.imshow(torch.cat([img, img]), title=['Original image', 'Model output'])
po.imshow(img, vrange=(0, 255), zoom=4)
po.imshow([met.image, met.metamer], title=['Target image', 'Synthesized metamer'], vrange='auto1')
po.imshow(eig.eigendistortions, title=['a', 'b', 'c', 'd'])
po.imshow(eig.eigendistortions[[0, -1]].mean(1, keepdim=True), vrange='auto1', title=['top', 'bottom'])
po.imshow(moog.geodesic, zoom=2, title=None, vrange='auto0')
po.imshow([(moog.geodesic - moog.pixelfade)[1:-1, 0:1]], zoom=2, title=None, vrange='auto1')
po.imshow([all_mad[k].mad_image - all_mad[k].image for k in all_mad], title=list(all_mad), col_wrap=2)
po.pyrshow(pyr_coeffs_complex, zoom=0.5, batch_idx=1)
po.convert_anim_to_html(po.animshow(coeffs.unsqueeze(1), batch_idx=0, vrange='indep1'))
po.animshow(coeffs.unsqueeze(1).real, batch_idx=0, framerate=6, repeat=True, zoom=2)
po.plot_representation(data=rep, figsize=(11, 5))
po.plot_representation(ps, ps(img), figsize=(15, 15))
ps.plot_representation(data=ps(img), ylim=False)
po.plot_loss(met)
po.plot_synthesis_status(met, width_ratios={'plot_representation_error': 2})
po.plot_synthesis_status(met, iteration=-10, width_ratios={'plot_representation_error': 2})
po.display_metamer(met, ax=axes[0])
po.plot_loss(met, ax=axes[1])
po.plot_representation_error(met, ax=axes[2])
po.animate(met, included_plots=['display_metamer', 'plot_loss'], figsize=(12, 5))
po.animate(met, width_ratios={'plot_representation_error': 2})
po.plot_synthesis_status(mad)
po.display_mad_image(mad, ax=new_axes(), zoom=.5)
po.plot_loss(mad, axes=new_axes(), iteration=-2)
po.display_mad_image_all(*all_mad.values(), zoom=4, vrange=(0, 255))
po.display_mad_image_all(*all_mad.values(), 'SDSIM')
po.plot_loss_all(*all_mad.values())
po.plot_pixel_values(met, ax=new_axes())
po.display_eigendistortion(eig, 0, zoom=3)
po.display_eigendistortion(eig, -1, zoom=2, title="bottom eigendist")
po.display_eigendistortion(eig, eigenindex=0, alpha=3)
po.plot_loss(moog, ax=new_axes())
po.plot_deviation_from_line(moog, ax=new_axes())
""".strip().split("\n")


@pytest.mark.parametrize("line", LINES)
def test_the_line_runs_and_shows_itself(line: str) -> None:
    names = {**made(), "new_axes": lambda: new_figure(9, 4, dpi=72).subplots()}
    shown = eval(line, names)
    picture = any(hasattr(shown, f"_repr_{kind}_") for kind in ("png", "html"))
    assert picture or shown.figure.axes  # axes of one's own are shown with their figure
