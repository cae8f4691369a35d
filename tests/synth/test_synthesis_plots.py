"""Pictures of competitions: what they show is what the objects hold."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from stimsynth.losses import l2_norm, mse
from stimsynth.methods.mad import noisy
from stimsynth.plots import (
    animate,
    display_mad_image,
    display_mad_image_all,
    display_mad_set,
    plot_loss,
    plot_loss_all,
    plot_pixel_values,
    plot_synthesis_status,
)
from stimuli_store.errors import InputError

pytest.importorskip("matplotlib")
STEPS, EVERY = 11, 5


def mad(minmax: str = "min", seed: int = 0, *, metric: Any = mse, channels: int = 1) -> Any:
    """Something with the names of a competition: no synthesis is needed for a picture."""
    generator = torch.Generator().manual_seed(seed)
    shape = (2, channels, 12, 16)

    def noise(*size: int) -> torch.Tensor:
        return torch.rand(*size, generator=generator)

    return SimpleNamespace(
        image=torch.linspace(0, 1, 2 * channels * 192).view(shape),
        initial_image=noise(*shape),
        mad_image=noise(*shape).requires_grad_(True),
        saved_mad_image=noise(1 + STEPS // EVERY, *shape),
        store_progress=EVERY,
        allowed_range=(0.0, 1.0),
        minmax=minmax,
        optimized_metric=metric,
        reference_metric=l2_norm if metric is mse else mse,
        optimized_metric_loss=noise(STEPS + 1, 2),
        reference_metric_loss=torch.full((STEPS + 1, 2), 0.5) + 1e-7 * noise(STEPS + 1, 2),
    )


FOUR = [mad(), mad(metric=l2_norm), mad("max"), mad("max", metric=l2_norm)]


def shown(axes: Any) -> np.ndarray:
    (image,) = axes.images
    return np.asarray(image.get_array())


def dots(axes: Any) -> Any:
    return axes.lines[-1].get_xydata()


@pytest.mark.parametrize(("iteration", "row"), [(None, STEPS), (3, 3), (-2, STEPS - 1)])
def test_losses_are_drawn_with_a_dot_at_the_iteration(iteration: int | None, row: int) -> None:
    one = mad("max")
    axes = plot_loss(one, iteration, linestyle=":")
    for ax, losses in zip(
        axes, (one.optimized_metric_loss, one.reference_metric_loss), strict=True
    ):
        for item in range(2):
            np.testing.assert_array_equal(ax.lines[item].get_ydata(), losses[:, item])
            assert ax.lines[item].get_linestyle() == ":"
        np.testing.assert_allclose(dots(ax), [[row, losses[row, 0]], [row, losses[row, 1]]])
        assert ax.lines[-1].get_color() == "red"
    low, high = axes[1].get_ylim()
    assert high - low > 0.05  # rounding is not magnified


def test_titles_of_a_film_keep_their_size() -> None:
    film = animate(mad(), vrange="indep1", included_plots=["display_mad_image"])
    (ax,) = film.figure.axes
    sizes = {(film.frame(number), ax.title.get_fontsize())[1] for number in range(len(film))}
    assert len(sizes) == 1


def test_losses_of_less_than_a_decade_have_plain_numbers() -> None:
    one = SimpleNamespace(losses=torch.linspace(0.0158, 0.0138, 9)[:, None])
    ax = plot_loss(one)
    ax.figure.canvas.draw()
    assert {"0.014", "0.015"} <= {label.get_text() for label in ax.get_yticklabels()}


def test_losses_can_share_a_figure() -> None:
    figure = plot_loss(mad())[0].figure
    figure.clear()
    left, right = figure.subplots(1, 2)
    assert plot_loss(mad(), axes=[left, right]) == (left, right)
    split = plot_loss(mad(), axes=figure.add_axes((0.1, 0.1, 0.4, 0.4)))
    assert len(split) == 2
    boxes = [ax.get_position() for ax in split]
    assert 0.1 <= boxes[0].x0 < boxes[0].x1 < boxes[1].x0 < boxes[1].x1 <= 0.5 + 1e-9
    halves = plot_loss(mad(), axes=right)
    assert right not in halves
    assert not right.axison


@pytest.mark.parametrize("iteration", [STEPS + 1, -STEPS - 2])
def test_an_iteration_that_was_not_taken_is_refused(iteration: int) -> None:
    for plot in (plot_loss, display_mad_image, plot_pixel_values):
        with pytest.raises(
            InputError, match=f"iterations go from 0 to {STEPS}; there is no iteration"
        ):
            plot(mad(), iteration=iteration)


def test_before_synthesis_there_are_no_losses() -> None:
    one = mad()
    one.optimized_metric_loss = one.reference_metric_loss = torch.empty(0, 2)
    with pytest.raises(InputError, match="call synthesize first"):
        plot_loss(one)


@pytest.mark.parametrize(
    ("iteration", "kept"), [(None, None), (STEPS, None), (-1, None), (0, 0), (4, 1), (7, 1), (8, 2)]
)
def test_an_image_is_the_kept_one_nearest_to_the_iteration(
    iteration: int | None, kept: int | None
) -> None:
    one = mad()
    axes = display_mad_image(one, batch_idx=1, iteration=iteration, title="this")
    wanted = one.mad_image.detach() if kept is None else one.saved_mad_image[kept]
    np.testing.assert_array_equal(shown(axes), wanted[1, 0])
    assert axes.get_title().split("\n")[0] == "this"


@pytest.mark.parametrize("zoom", [None, 3.0, 0.5])
def test_image_pixels_are_whole_display_pixels(zoom: float | None) -> None:
    axes = display_mad_image(mad(), zoom=zoom)
    box = axes.get_window_extent()
    factor = box.width / 16
    assert box.height / 12 == pytest.approx(factor)
    assert factor == pytest.approx(zoom or round(factor))
    if zoom is None:
        assert factor > 10


def test_colours_are_shown_in_their_range() -> None:
    one = mad(channels=3)
    pixels = shown(display_mad_image(one, vrange=(0.0, 2.0)))
    np.testing.assert_allclose(pixels, one.mad_image.detach()[0].permute(1, 2, 0) / 2)
    one_channel = shown(display_mad_image(one, channel_idx=2))
    np.testing.assert_array_equal(one_channel, one.mad_image.detach()[0, 2])


def test_images_that_cannot_be_shown_are_refused() -> None:
    bare = mad()
    bare.saved_mad_image = torch.empty(0, 2, 1, 12, 16)
    for call, message in (
        (
            lambda: display_mad_image(mad(), zoom=100.0, ax=Figure().subplots()),
            "does not fit into axes of .* largest zoom is",
        ),
        (lambda: display_mad_image(mad(), batch_idx=2), "there is no batch_idx 2"),
        (lambda: display_mad_image(mad(channels=2)), "one channel at a time"),
        (lambda: display_mad_image(mad(), channel_idx=1), "there is no channel_idx 1"),
        (lambda: display_mad_image(bare, iteration=3), "synthesize with store_progress"),
        (lambda: animate(bare), "no iterates were saved"),
    ):
        with pytest.raises(InputError, match=message):
            call()


def test_histograms_count_every_pixel_of_both_images() -> None:
    axes = plot_pixel_values(mad(), ylim=(0, 50), bins=10)
    counts = [sum(bar.get_height() for bar in bars) for bars in axes.containers]
    assert counts == [192, 192]
    assert axes.get_ylim() == (0, 50)
    assert [t.get_text() for t in axes.get_legend().get_texts()] == [
        "Reference image",
        "MAD image",
    ]


def test_labels_are_whole() -> None:
    """Large counts have wide tick labels, which must not push the axis label out of the figure."""
    one = mad()
    one.image = one.image.repeat(1, 1, 9, 9).round()
    ax = plot_pixel_values(one)
    ax.figure.canvas.draw()
    assert ax.yaxis.label.get_window_extent().x0 >= 0
    assert ax.title.get_window_extent().y1 <= ax.figure.bbox.y1


def test_the_status_has_all_plots_and_says_where() -> None:
    figure, placed = plot_synthesis_status(mad(), iteration=0, vrange=(0, 1))
    assert set(placed) == {"mad_image", "loss", "pixel_values"}
    np.testing.assert_array_equal(
        shown(figure.axes[placed["mad_image"]]), mad().saved_mad_image[0, 0, 0]
    )
    assert figure.axes[placed["mad_image"]].images[0].get_clim() == (0, 1)
    assert [dots(figure.axes[n])[0, 0] for n in placed["loss"]] == [0, 0]
    assert figure.axes[placed["pixel_values"]].containers


def test_the_status_goes_where_it_is_told() -> None:
    figure, placed = plot_synthesis_status(mad(), included_plots=["plot_pixel_values"])
    assert placed == {"pixel_values": 0}
    figure.clear()
    figure.subplots(1, 4)
    again, placed = plot_synthesis_status(
        mad(),
        fig=figure,
        axes_idx={"misc": 0, "loss": [1, 2]},
        included_plots=["plot_loss", "plot_pixel_values"],
    )
    assert again is figure
    assert placed == {"misc": 0, "loss": [1, 2], "pixel_values": 3}
    assert not figure.axes[0].lines
    with pytest.raises(InputError, match="too few axes"):
        plot_synthesis_status(mad(), fig=figure, axes_idx={"misc": [0, 1, 2]})
    with pytest.raises(InputError, match=r"unknown plot of a MAD image 'plot_lose'"):
        plot_synthesis_status(mad(), included_plots=["plot_lose"])


def test_the_animation_has_a_frame_for_every_kept_iterate(tmp_path: Path) -> None:
    film = animate(mad(), framerate=5, figsize=(8, 2))
    film.save(tmp_path / "way.gif")
    with Image.open(tmp_path / "way.gif") as saved:
        assert saved.n_frames == 1 + STEPS // EVERY
        assert saved.info["duration"] == 200
        saved.seek(1)
        colors = {color for _, color in saved.convert("RGB").getcolors(2**24) or []}
        assert {(255, 255, 255), (255, 0, 0)} <= colors  # paper and dots, however small
    film.frame(-1)
    figure = film.figure
    assert [len(axes.images) for axes in figure.axes if axes.images] == [1]
    assert [dots(ax)[0, 0] for ax in figure.axes if len(ax.lines) == 3] == [10, 10]


def test_a_set_is_shown_with_reference_and_start() -> None:
    figure = display_mad_image_all(*FOUR, metric2_name="distance", zoom=2)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [
        "Reference image",
        "Initial image",
        "Least mse",
        "Largest mse",
        "Least distance",
        "Largest distance",
    ]
    images = [FOUR[0].image, FOUR[0].initial_image, *(FOUR[k].mad_image for k in (0, 2, 1, 3))]
    for axes, image in zip(figure.axes, images, strict=True):
        np.testing.assert_array_equal(shown(axes), image.detach()[0, 0])
    assert len({axes.images[0].get_clim() for axes in figure.axes}) == 1
    coloured = [mad(end, metric=m, channels=3) for end in ("min", "max") for m in (mse, l2_norm)]
    assert len(display_mad_image_all(*coloured).axes) == 6


def test_every_level_of_a_set_has_a_row() -> None:
    def member(seed: int) -> Any:
        made = mad(seed=seed)
        return SimpleNamespace(
            image=made.mad_image, metric_1=torch.tensor([0.25, 2]), metric_2=torch.tensor([0.5, 3])
        )

    names = ("metric_1_min", "metric_1_max", "metric_2_min", "metric_2_max")
    levels = tuple(
        SimpleNamespace(
            noise_level=noise,
            seed=9,
            initial_image=noisy(mad().image, noise, 9, (0, 1)),
            metric_1=torch.tensor([0.1, 1]),
            metric_2=torch.tensor([0.2, 1]),
            members={name: member(k) for k, name in enumerate(names)},
        )
        for noise in (0.1, 0.2)
    )
    figure = display_mad_set(levels, mad().image, 1, metric_1_name="1 - SSIM", metric_2_name="MSE")
    assert len(figure.axes) == 12
    titles = [axes.get_title().split("\n")[0] for axes in figure.axes[:6]]
    ends = ["Least 1 - SSIM", "Largest 1 - SSIM", "Least MSE", "Largest MSE"]
    assert titles == ["Reference image", "Noise 0.1", *ends]
    assert figure.axes[2].get_title().split("\n")[1:] == ["1 - SSIM: 2", "MSE: 3"]
    for k in range(4):
        np.testing.assert_array_equal(
            shown(figure.axes[8 + k]), mad(seed=k).mad_image.detach()[1, 0]
        )
    assert len(display_mad_set(levels[0]).axes) == 5
    with pytest.raises(InputError, match="no level to draw"):
        display_mad_set(())
    with pytest.raises(InputError, match="shows a MADLevel of a mad_set; not a Tensor"):
        display_mad_set(torch.zeros(3))


def test_the_losses_of_a_set_are_told_apart_by_colour_and_line() -> None:
    figure = plot_loss_all(*FOUR)
    assert tuple(figure.get_size_inches()) == (10, 5)
    for axes, name in zip(figure.axes, ("mse", "l2_norm"), strict=True):
        assert axes.get_title() == name
        styles = [(line.get_color(), line.get_linestyle()) for line in axes.lines[::2]]
        assert styles == [("C0", "--"), ("C0", "-"), ("C1", "--"), ("C1", "-")]
    # A metric's own axes show what its competitions optimized, and what the others held.
    first = figure.axes[0].lines
    np.testing.assert_array_equal(first[0].get_ydata(), FOUR[0].optimized_metric_loss[:, 0])
    np.testing.assert_array_equal(first[4].get_ydata(), FOUR[1].reference_metric_loss[:, 0])
