"""Plots of model outputs, and of metamers: stems and images hold the output's numbers."""

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stimsynth import (
    Gaussian,
    Geodesic,
    Metamer,
    MetamerCTF,
    OptimizedImage,
    PortillaSimoncelli,
    SimpleMetamer,
    features,
    images,
    remove_grad,
)
from stimsynth.plots import (
    animate,
    clean_stem_plot,
    clean_up_axes,
    display_image,
    display_metamer,
    plot_loss,
    plot_pixel_values,
    plot_representation,
    plot_representation_error,
    plot_synthesis_status,
    rescale_ylim,
    update_plot,
)
from stimsynth.plots.outputs.parts import side_by_side
from stimuli_store.errors import InputError, WrongType
from stimuli_store.tools.figures import new_figure

pytest.importorskip("matplotlib")
GENERATOR = torch.Generator().manual_seed(0)
VECTORS = torch.randn(2, 2, 7, generator=GENERATOR)
MAPS = torch.randn(2, 3, 6, 8, generator=GENERATOR)


def stems(ax: Any) -> list[float]:
    (container,) = ax.containers
    drawn = [segment[1][1] for segment in container.stemlines.get_segments()]
    np.testing.assert_array_equal(drawn, container.markerline.get_ydata())
    return drawn


def pixels(ax: Any) -> np.ndarray:
    (image,) = ax.images
    return np.ma.filled(image.get_array(), np.nan)


def check_inside(figure: Any) -> None:
    """All texts inside the canvas, and no title over the place of other axes or another title."""
    figure.canvas.draw()
    titles = []
    for ax in figure.axes:
        texts = [ax.title, ax.xaxis.label, ax.yaxis.label]
        for text in (t for t in texts if (t.get_text() and ax.axison) or t is ax.title):
            box = text.get_window_extent()
            if text.get_text():
                assert box.x0 >= -0.5 and box.x1 <= figure.bbox.width + 0.5, text.get_text()
                assert box.y0 >= -0.5 and box.y1 <= figure.bbox.height + 0.5, text.get_text()
        if ax.get_title():
            titles.append((ax, ax.title.get_window_extent()))
    visible = [ax for ax in figure.axes if ax.axison or ax.images]
    for number, (own, title) in enumerate(titles):
        others = [box for _, box in titles[:number]]
        others += [ax.get_window_extent() for ax in visible if ax is not own]
        for box in others:
            apart = title.x1 <= box.x0 + 1 or box.x1 <= title.x0 + 1
            assert apart or title.y0 >= box.y1 - 1 or box.y0 >= title.y1 - 1, own.get_title()


# -- representations -------------------------------------------------------------------------------


def test_vectors_are_stems_and_maps_are_images() -> None:
    axes = plot_representation(data=VECTORS, batch_idx=1)
    np.testing.assert_allclose([stems(ax) for ax in axes], VECTORS[1], rtol=1e-6)
    shown = plot_representation(data=MAPS, figsize=(9, 4))
    np.testing.assert_array_equal([pixels(ax) for ax in shown], MAPS[0])
    assert [ax.images[0].get_clim()[1] for ax in shown] == [float(m.abs().max()) for m in MAPS[0]]
    (colours,) = plot_representation(data=MAPS.sigmoid(), as_rgb=True)
    assert pixels(colours).shape == (6, 8, 3)
    named = plot_representation(data={"one": VECTORS[:, :1], "two": MAPS}, title="all")
    largest = [f"±{float(m.abs().max()):.3g}" for m in MAPS[0]]
    titles = ["one", *(f"two, channel {number}\n{said}" for number, said in enumerate(largest))]
    assert [ax.get_title() for ax in named] == titles
    for made in (axes, shown, named):
        check_inside(made[0].figure)


def test_limits_are_those_asked_for() -> None:
    largest = float(VECTORS[0].abs().max())
    for ax in plot_representation(data=VECTORS, ylim=None):
        assert ax.get_ylim() == pytest.approx((-largest, largest))
    for data in (VECTORS, MAPS):
        for ax in plot_representation(data=data, ylim=(-9, 8)):
            assert (ax.images[0].get_clim() if ax.images else ax.get_ylim()) == (-9, 8)
    assert ax.get_title() == "channel 2\n[−9,8]"
    rescale_ylim([ax], {"a": VECTORS, "b": torch.tensor([50.0, torch.nan])})
    assert ax.images[0].get_clim() == (-50, 50)
    assert ax.get_title() == "channel 2\n±50"


def test_many_channels_are_side_by_side() -> None:
    (ax,) = plot_representation(data=torch.arange(40.0)[None, :, None, None].expand(1, 40, 5, 5))
    sheet = pixels(ax)
    assert sorted(np.unique(sheet[np.isfinite(sheet)])) == list(range(40))
    np.testing.assert_array_equal(side_by_side(np.ones((1, 3, 4))), np.ones((3, 4)))
    (line,) = plot_representation(data=torch.rand(1, 30, 4, generator=GENERATOR))
    assert np.isnan(line.containers[0].markerline.get_ydata()).sum() == 30  # a gap after each


class Named(nn.Module):
    def convert_to_dict(self, data: Tensor) -> dict[str, Tensor]:
        return {"first": data[..., :3], "rest": data[..., 3:]}


class Plotted(nn.Module):
    def plot_representation(self, data: Tensor | None = None, ax: Any = None) -> Any:
        ax = new_figure(2, 2).subplots() if ax is None else ax
        ax.plot([0, 1] if data is None else data[0, 0])
        return ax

    def update_plot(self, axes: Any, data: Tensor, batch_idx: int = 0) -> Any:
        axes[0].lines[0].set_ydata(data[batch_idx, 0])
        return axes[0].lines


def test_a_model_says_how_it_is_plotted() -> None:
    axes = plot_representation(Named(), VECTORS)
    assert [ax.get_title() for ax in axes] == [
        f"{name}, channel {number}" for name in ("first", "rest") for number in (0, 1)
    ]
    model = Plotted()
    (own,) = plot_representation(model)
    assert own.lines[0].get_ydata().tolist() == [0, 1]
    (own,) = plot_representation(model, VECTORS)
    (line,) = update_plot([own], VECTORS, model, 1)
    assert line.get_ydata().tolist() == VECTORS[1, 0].tolist()
    network = nn.Sequential(nn.Conv2d(1, 20, 3), nn.Flatten(), nn.Linear(20 * 36, 9))
    for layer, check in (
        ("0", lambda ax: pixels(ax).size > 20 * 36),
        ("2", lambda ax: len(stems(ax)) == 9),
    ):
        cut = features(network, layer)
        (ax,) = plot_representation(cut, cut(torch.rand(1, 1, 8, 8, generator=GENERATOR)))
        assert check(ax)


def test_a_plot_is_updated_with_new_numbers() -> None:
    for data in (VECTORS, MAPS, {"a": VECTORS, "b": MAPS}):
        new = {n: -3 * x for n, x in data.items()} if isinstance(data, dict) else -3 * data
        axes = plot_representation(data=data)
        artists = update_plot(axes, new)
        again = plot_representation(data=new)
        assert len(artists) >= len(axes)
        for changed, wanted in zip(axes, again, strict=True):
            read = pixels if wanted.images else stems
            np.testing.assert_allclose(read(changed), read(wanted), rtol=1e-6)
    (colours,) = plot_representation(data=MAPS.sigmoid(), as_rgb=True)
    update_plot(colours, MAPS.sigmoid(), batch_idx=1)
    np.testing.assert_allclose(pixels(colours), MAPS[1].sigmoid().movedim(0, -1), rtol=1e-6)


def test_an_image_is_not_updated_with_a_row() -> None:
    (ax,) = plot_representation(data=MAPS[:, :1])
    with pytest.raises(InputError, match=r"shows an image .* the data have values of shape"):
        update_plot(ax, MAPS[:, :1, 0])


def test_ones_own_lines_and_points_are_updated() -> None:
    ax = new_figure(2, 2).subplots()
    ax.plot(VECTORS[0].T, label=["a", "b"])
    update_plot(ax, VECTORS, batch_idx=1)
    np.testing.assert_allclose([line.get_ydata() for line in ax.lines], VECTORS[1])
    update_plot(ax, {"b": VECTORS[:1, :1]})
    np.testing.assert_allclose(ax.lines[1].get_ydata(), VECTORS[0, 0])
    with pytest.raises(InputError, match="no label 'c'; it has a, b"):
        update_plot(ax, {"c": VECTORS[:1, :1]})
    both = new_figure(2, 2).subplots(1, 2)
    for one in both:
        one.scatter([0, 1], [0, 1])
    points = torch.rand(1, 2, 2, 2, generator=GENERATOR)
    update_plot(both, points)
    np.testing.assert_allclose([one.collections[0].get_offsets() for one in both], points[0])
    with pytest.raises(InputError, match="2 parts; the data have 3"):
        update_plot(both, torch.rand(1, 3, 2, 2))


def test_numbers_are_labels_too() -> None:
    ax = new_figure(2, 2).subplots()
    ax.plot(VECTORS[0].T, label=[3, 4])
    update_plot(ax, {4: VECTORS[1:, :1]})
    np.testing.assert_allclose(ax.lines[0].get_ydata(), VECTORS[0, 0])
    np.testing.assert_allclose(ax.lines[1].get_ydata(), VECTORS[1, 0])
    with pytest.raises(InputError, match="no label 5; it has 3, 4"):
        update_plot(ax, {5: VECTORS[:1, :1]})


def test_a_dictionary_updates_points_and_lines_in_the_order_of_axes() -> None:
    points, line = new_figure(2, 2).subplots(1, 2)
    points.scatter([0, 1], [0, 1])
    line.plot([0, 1], [0, 1])
    new = {"points": torch.tensor([[[[2.0, 3.0], [4.0, 5.0]]]]), "line": torch.ones(1, 1, 2)}
    update_plot([points, line], new)
    np.testing.assert_allclose(points.collections[0].get_offsets(), [[2, 3], [4, 5]])
    np.testing.assert_allclose(line.lines[0].get_ydata(), [1, 1])


def test_stems_have_broken_baselines() -> None:
    data = np.array([1.0, 2.0, np.nan, 3.0])
    ax = clean_stem_plot(data, xvals=([0, 3], [1, 3]), title="broken")
    lines = ax.collections[-1].get_segments()
    assert [piece[:, 0].tolist() for piece in lines] == [[0, 1], [3, 3]]
    assert ax.get_ylim()[0] == 0
    assert not ax.xaxis.get_visible()
    assert [side for side, spine in ax.spines.items() if spine.get_visible()] == ["left"]
    clean_up_axes(ax, False, ["left"], ["y"])
    assert not ax.spines["left"].get_visible()


REFUSED: dict[str, Any] = {
    "nothing": (lambda: plot_representation(), "nothing to plot"),
    "exchanged": (lambda: plot_representation(VECTORS, Named()), "exchanged"),  # type: ignore[arg-type]
    "no model": (lambda: plot_representation(VECTORS), "exchanged or the model is missing"),  # type: ignore[arg-type]
    "shape": (lambda: plot_representation(data=torch.zeros(3)), "must have shape"),
    "item": (lambda: plot_representation(data=VECTORS, batch_idx=2), "no batch_idx 2"),
    "kind": (lambda: plot_representation(data=[1, 2]), "tensor or a dictionary"),  # type: ignore[arg-type]
    "colours": (lambda: plot_representation(data=MAPS[:, :2], as_rgb=True), "needs 3 channels"),
    "spine": (lambda: clean_up_axes(new_figure(1, 1).subplots(), None, ["lft"]), "did you mean"),
    "stems": (lambda: clean_stem_plot(VECTORS), "one row of numbers"),
    "stem option": (
        lambda: clean_stem_plot([1.0], colour="r"),
        "argument of clean_stem_plot 'colour'",
    ),
    "number of numbers": (
        lambda: update_plot(plot_representation(data=VECTORS), VECTORS[..., :3]),
        "there are 7 stems",
    ),
    "loss of a tensor": (lambda: plot_loss(VECTORS), "a synthesis with losses; not a Tensor"),
    "metamer of a path": (lambda: display_metamer(path()), "shows a Metamer; not a Geodesic"),
    "error of a path": (lambda: plot_representation_error(path()), "shows a Metamer"),
    "iteration": (lambda: display_metamer(metamer(), iteration=9), "iterations go from 0 to 6"),
    "option": (lambda: plot_loss(metamer(), colour="r"), "argument of plot_loss 'colour'"),
    "key": (
        lambda: plot_synthesis_status(metamer(), axes_idx={"loss": 0}),
        "key of axes_idx 'loss'",
    ),
    "places": (
        lambda: plot_synthesis_status(metamer(), axes_idx={"plot_loss": 7}),
        "has 3 axes; axes_idx names",
    ),
    "ratios": (
        lambda: plot_synthesis_status(metamer(), width_ratios={"loss": 2}),
        "plot of a metamer 'loss'; did you mean 'plot_loss'",
    ),
    "ratios of what is not drawn": (
        lambda: animate(
            metamer(), included_plots=["plot_loss"], width_ratios={"display_metamer": 2}
        ),
        "width_ratios has 'display_metamer', which is not drawn; add it to included_plots",
    ),
    "place of what is not drawn": (
        lambda: plot_synthesis_status(
            metamer(), included_plots=["plot_loss"], axes_idx={"plot_pixel_values": 0}
        ),
        "axes_idx has 'plot_pixel_values', which is not drawn",
    ),
    "limits": (lambda: animate(metamer(), ylim="rescaleX"), "rescaleN"),
    "two names": (
        lambda: plot_loss(
            metamer(), ax=new_figure(1, 1).subplots(), axes=new_figure(1, 1).subplots()
        ),
        "two names for the same",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_plotted_is_refused_in_a_sentence(name: str) -> None:
    call, sentence = REFUSED[name]
    with pytest.raises((InputError, WrongType), match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_size_that_is_not_used_is_warned_about() -> None:
    ax = new_figure(4, 4).subplots()
    with pytest.warns(UserWarning, match="ax is not None, so we're ignoring figsize"):
        plot_representation(data=VECTORS, ax=ax, figsize=(9, 9))


# -- syntheses -------------------------------------------------------------------------------------


@cache
def metamer() -> Metamer:
    met = Metamer(images.load("camera", size=32), remove_grad(Gaussian(5)), seed=0)
    met.synthesize(max_iter=6, store_progress=2)
    return met


@cache
def texture() -> MetamerCTF:
    model = PortillaSimoncelli((32, 32), n_scales=2, spatial_corr_width=3)
    met = MetamerCTF(images.load("grass", size=32), model, seed=0)
    met.synthesize(max_iter=8, store_progress=4)
    return met


@cache
def path() -> Geodesic:
    image = images.load("camera", size=16)
    geo = Geodesic(image, image.flip(-1), remove_grad(Gaussian(3)), 5, seed=0)
    geo.synthesize(max_iter=4, store_progress=1)
    return geo


@cache
def optimized() -> OptimizedImage:
    run = OptimizedImage(images.load("camera", size=16).clamp(0.2, 0.8), torch.std)
    run.synthesize(max_iter=4, store_progress=2)
    return run


EVERY = {"metamer": metamer, "texture": texture, "path": path, "optimized": optimized}


def test_the_error_is_the_models_output_minus_the_target() -> None:
    met = metamer()
    for iteration, points in ((None, met.metamer.detach()), (-3, met.saved_metamer[2])):
        (ax,) = plot_representation_error(met, iteration=iteration)
        wanted = (met.model(points) - met.target_representation)[0, 0]
        np.testing.assert_allclose(pixels(ax), wanted, atol=1e-7)
        limit = float(wanted.abs().max())
        assert ax.images[0].get_clim() == pytest.approx((-limit, limit), rel=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("name", EVERY)
def test_every_method_has_a_status_and_a_film(name: str) -> None:
    made: Any = EVERY[name]()
    figure, placed = plot_synthesis_status(made, width_ratios={"plot_loss": 1.5})
    assert len(placed) >= 2
    check_inside(figure)
    film = animate(made, ylim="rescale2") if name in ("metamer", "texture") else animate(made)
    assert len(film) == {"metamer": 4, "texture": 3, "path": 5, "optimized": 3}[name]
    last = film.frame(-1)
    film.figure.draw_without_rendering()
    film.figure.canvas.draw()
    whole_figure = np.asarray(film.figure.canvas.buffer_rgba())
    differing = (np.abs(last.astype(float) - whole_figure) > 8).any(axis=-1)
    assert differing.mean() < 0.002  # only where what moves lies over a frame or a tick
    assert (film.frame(0) != last).any()
    assert display_image(made).images
    assert plot_pixel_values(made).containers


def test_the_film_follows_the_iterates() -> None:
    met = metamer()
    film = animate(met, included_plots=["display_metamer", "plot_loss", "plot_pixel_values"])
    for number in (0, 3, 1):
        film.frame(number)
        picture, loss, histogram = film.figure.axes
        np.testing.assert_array_equal(pixels(picture), met.saved_metamer[number, 0, 0])
        dot = loss.lines[-1].get_xydata()[0]
        np.testing.assert_allclose(dot, [2 * number, met.losses[2 * number, 0]], rtol=1e-6)
        heights = [bar.get_height() for bar in histogram.containers[1]]
        counts = np.histogram(met.saved_metamer[number], np.linspace(0, 1, 65))[0]
        assert heights == counts.tolist()


def test_a_simple_metamer_is_plotted_too() -> None:
    met = SimpleMetamer(images.load("camera", size=16), remove_grad(Gaussian(3)), seed=0)
    met.synthesize(max_iter=3)
    assert plot_loss(met).get_yscale() == "log"
    _, placed = plot_synthesis_status(met)
    assert list(placed) == ["display_metamer", "plot_loss", "plot_representation_error"]
    with pytest.raises(InputError, match="no iterates were saved"):
        animate(met)


def test_the_status_goes_into_a_figure_of_ones_own() -> None:
    figure = new_figure(12, 8, dpi=72)
    figure.subplots(2, 3)
    figure.axes[0].set_title("mine")
    _, placed = plot_synthesis_status(
        metamer(),
        fig=figure,
        axes_idx={"display_metamer": 5, "misc": [0, 4]},
        included_plots=["display_metamer", "plot_loss", "plot_pixel_values"],
    )
    assert placed == {"display_metamer": 5, "misc": [0, 4], "plot_loss": 1, "plot_pixel_values": 2}
    assert figure.axes[0].get_title() == "mine"
    assert not figure.axes[4].lines
