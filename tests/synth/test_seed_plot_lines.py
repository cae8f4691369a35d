"""Plotting lines of the documentation that the project is built from, with our names."""

import re
from functools import cache
from typing import Any

import pytest
import torch

from stimsynth import (
    Eigendistortion,
    Gaussian,
    Geodesic,
    LuminanceGainControl,
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
    front = remove_grad(LuminanceGainControl(7).double())
    whole = Eigendistortion(img, front)
    whole.synthesize()
    colour = Eigendistortion(torch.rand(1, 3, 8, 8), remove_grad(torch.nn.Conv2d(3, 2, 3)))
    colour.synthesize()
    pyramid = transforms.SteerablePyramidFreq((32, 32), height=2, is_complex=True, downsample=False)
    coeffs = pyramid(torch.cat([img, 1 - img]))
    tensor, _ = pyramid.convert_pyr_to_tensor(coeffs, split_complex=False)
    return {
        "img": img,
        "model": model,
        "met": met,
        "eig_img": whole,
        "transforms": transforms,
        "all_mad": four,
        "mad": four["one_min"],
        "eig": eig,
        "moog": moog,
        "pyr_coeffs_complex": coeffs,
        "coeffs": tensor,
        "pyr_coeffs_scale0": {key: value for key, value in coeffs.items() if key == 0},
        "M": torch.rand(1, 1, 4, 8, 8),
        "target_scale": 1,
        "rgb": torch.rand(2, 3, 16, 16),
        "curie": images.load("chelsea", size=32).double(),
        "ed_resneta": colour,
        "unnormalize": lambda x: (x * img.std() + img.mean()).mean(1, keepdims=True),
        "lg": front,
        "mask": torch.ones(1, 1, 32, 32, dtype=torch.bool).triu(),
        "vid": transforms.translation_sequence(img, n_steps=4),
        "y": torch.rand(55).numpy(),
        "xvals": ([0, 20, 40], [14, 34, 54]),
        "ps": PortillaSimoncelli((32, 32), n_scales=2, spatial_corr_width=3).double(),
        "rep": model(img),
        "torch": torch,
        "po": plots,
        "axes": new_figure(17, 6, dpi=72).subplots(1, 3),
        "fig": new_figure(17, 12, dpi=72),
    }


def new_axes() -> Any:
    return new_figure(9, 4, dpi=72).subplots()


def four_axes() -> Any:
    figure = new_figure(12, 12, dpi=72)
    figure.subplots(2, 2)
    return figure


#: Line of the seeds, with `plots` for the module of a function.
LINES = re.split(
    r"\n(?=\w)",
    """\
po.imshow(img)
po.imshow(rgb, as_rgb=True)
po.imshow(coeffs[:, 1:-1], batch_idx=0)
po.imshow(coeffs[:, 1:-1], channel_idx=0)
po.imshow([img, 2 * img], vrange='auto1')
po.imshow(torch.cat([img, img]), title=['Original image', 'Model output'])
po.imshow(img, vrange=(0, 255), zoom=4)
po.imshow([met.image, met.metamer], title=['Target image', 'Synthesized metamer'], vrange='auto1')
po.imshow(eig.eigendistortions, title=['a', 'b', 'c', 'd'])
po.imshow(eig.eigendistortions[[0, -1]].mean(1, keepdim=True), vrange='auto1', title=['top',
    'bottom'])
po.imshow(moog.geodesic, zoom=2, title=None, vrange='auto0')
po.imshow([(moog.geodesic - moog.pixelfade)[1:-1, 0:1]], zoom=2, title=None, vrange='auto1')
po.imshow([all_mad[k].mad_image - all_mad[k].image for k in all_mad], title=list(all_mad),
    col_wrap=2)
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
po.display_eigendistortion(eig, eigenindex=-1, alpha=100., process_image=unnormalize, zoom=4)
po.display_eigendistortion(ed_resneta, 0, as_rgb=True, zoom=2, title="top eigendist")
po.display_eigendistortion(ed_resneta, -1, as_rgb=True, zoom=3)
po.imshow([curie])
po.imshow(torch.cat([img, curie]), vrange="auto", title=['one', 'two'], col_wrap=3)
po.imshow([img, curie, img], col_wrap=4, title=None)
po.imshow(coeffs[:, 1:-1], batch_idx=1)
po.imshow(model(img), zoom=8)
po.imshow(model(img), title=['on channel response', 'off channel response'], zoom=2)
po.imshow([lg(img), lg(2*img)], vrange='auto1')
po.imshow([img+3*eig_img.eigendistortions[:1], img+3*eig_img.eigendistortions[:1].roll(16, -1)])
po.imshow(img + 3*eig_img.eigendistortions, title=['Maximum eigendistortion',
    'Minimum eigendistortion'])
po.imshow(rgb, as_rgb=True, zoom=2, title=None, vrange='auto0')
po.imshow([transforms.rescale(rgb - rgb.flip(0))], as_rgb=True, zoom=2, title=None)
po.imshow([x for x in torch.rand(6, 1, 1, 8, 8)], col_wrap=3, vrange='indep1', zoom=2)
po.imshow(img, ax=new_axes(), title=f"Metamer {'with'} magnitude means")
po.imshow([met.image, mask*met.image, model(met.metamer)[:, :1]], vrange='auto1', title=['a',
    'b', 'c'])
po.imshow([torch.ones_like(img), img, lg(img), curie, img, lg(img)], col_wrap=3, vrange='auto1',
    title=['', 'Original image', 'Model representation\\nof original image']+['Initial image',
    'Synthesized metamer', 'Model representation\\nof synthesized metamer'])
po.pyrshow(pyr_coeffs_complex, zoom=0.5)
po.pyrshow(pyr_coeffs_scale0, zoom=2, batch_idx=0)
po.convert_anim_to_html(po.animshow(M, framerate=6, repeat=True, zoom=2**target_scale))
po.convert_anim_to_html(po.animate(met))
po.clean_stem_plot(y)
po.clean_stem_plot(y, xvals=xvals)
po.plot_representation(data=ps(img))
po.plot_representation(ps, ps(img) - ps(curie), ylim=(-4, 4))
ps.plot_representation(ps(met.metamer) - ps(met.image), figsize=(15, 5), ylim=(-4, 4))
ps.plot_representation(ps(met.metamer) - ps(met.image), ylim=(-.06, .06), ax=new_axes())
lg.display_filters(zoom=5)
po.plot_synthesis_status(met, iteration=10, width_ratios={'plot_representation_error': 2.1})
po.plot_synthesis_status(met, included_plots=['display_metamer', 'plot_loss',
    'plot_representation_error', 'plot_pixel_values'],
    width_ratios={'plot_representation_error': 2.1})
po.plot_synthesis_status(met, included_plots=['display_metamer', 'plot_loss',
    'plot_pixel_values'], fig=four_axes())
po.plot_synthesis_status(met, included_plots=['display_metamer', 'plot_loss',
    'plot_pixel_values'], fig=four_axes(), axes_idx={'display_metamer': 3, 'plot_pixel_values': 0})
po.plot_synthesis_status(met, included_plots=['display_metamer', 'plot_loss'], fig=four_axes(),
    axes_idx={'display_metamer': 3, 'misc': [0]})
po.animate(met, included_plots=['display_metamer', 'plot_loss', 'plot_pixel_values'],
    fig=four_axes(), axes_idx={'display_metamer': 3, 'misc': [0]})
po.plot_synthesis_status(mad, included_plots=['display_mad_image', 'plot_loss'])
po.plot_loss(mad, axes=new_axes(), iteration=-2)
po.display_mad_image(mad)
po.plot_loss_all(*all_mad.values(), 'SDSIM')
po.imshow([mad.image, mad.initial_image], col_wrap=2)
po.plot_deviation_from_line(moog, vid, ax=new_axes())
po.plot_loss(moog, ax=new_axes())
po.plot_deviation_from_line(moog, ax=new_axes())
""".strip(),
)


@pytest.mark.parametrize("line", LINES)
def test_the_line_runs_and_shows_itself(line: str) -> None:
    names = {
        **made(),
        "new_axes": lambda: new_figure(9, 4, dpi=72).subplots(),
        "four_axes": four_axes,
    }
    shown = eval(line, names)
    picture = any(hasattr(shown, f"_repr_{kind}_") for kind in ("png", "html"))
    assert picture or shown.figure.axes  # axes of one's own are shown with their figure
