"""Plots with plenoptic's arguments; those that this project does not have are not offered."""

from collections.abc import Callable
from typing import Any

from benchmarks.peer_tests.errors import NotOffered
from stimsynth import plots

_NAMES = {
    "synthesis_imshow": ("display_metamer", "display_mad_image"),
    "synthesis_loss": ("plot_loss", "plot_loss"),
    "synthesis_histogram": ("plot_pixel_values", "plot_pixel_values"),
    "metamer_representation_error": ("plot_representation_error", "plot_representation_error"),
}
#: Of the axes of a competition's plots.
_AXES = {"synthesis_imshow": "mad_image", "synthesis_loss": "loss"}
_AXES |= {"synthesis_histogram": "pixel_values"}


def _without(kwargs: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return arguments without some, which must be as by default."""
    for name in names:
        if kwargs.pop(name, None) not in (None, False, {}):
            raise NotOffered(f"the argument {name} of a plot")
    unknown = [name for name in kwargs if name.endswith("_kwargs") and kwargs[name]]
    if unknown:
        raise NotOffered(f"the argument {unknown[0]} of a plot")
    return {name: value for name, value in kwargs.items() if not name.endswith("_kwargs")}


def _own(synthesis: Any) -> Any:
    """Return this project's synthesis behind plenoptic's methods."""
    return getattr(synthesis, "own", synthesis)


def unwrapped(draw: Callable[..., Any]) -> Callable[..., Any]:
    """Return a plot that takes plenoptic's syntheses."""
    return lambda *args, **more: draw(*map(_own, args), **more)


def synthesis_loss(
    synthesis: Any, iteration: Any = None, plot_penalties: bool = False, ax: Any = None, **more: Any
) -> Any:
    """Draw the loss; penalties are not drawn beside it."""
    _without({"plot_penalties": plot_penalties}, "plot_penalties")
    return plots.plot_loss(_own(synthesis), iteration, ax, **more)


def synthesis_imshow(
    synthesis: Any, batch_idx: int = 0, channel_idx: Any = None, *args: Any, **more: Any
) -> Any:
    """Draw the image of a synthesis, or a distortion."""
    names = ("distortion_scale", "process_image", "zoom", "iteration", "ax", "title")
    more |= dict(zip(names, args, strict=False))
    if hasattr(synthesis, "eigendistortions"):
        if more.get("process_image") is None:
            more.pop("process_image", None)
        more = _without(more, "iteration")
        alpha = more.pop("distortion_scale", 5.0)
        more["as_rgb"] = synthesis.image.shape[1] == 3  # plenoptic sees that by itself
        return plots.display_eigendistortion(synthesis, batch_idx, alpha, **more)
    if more.pop("distortion_scale", 5) != 5:
        raise NotOffered("a distortion_scale of what is no distortion")
    return plots.display_image(
        _own(synthesis), batch_idx, channel_idx, **_without(more, "process_image")
    )


def _figure(draw: Any, synthesis: Any, more: dict[str, Any]) -> Any:
    if hasattr(synthesis, "eigendistortions"):
        raise NotOffered("a status of eigendistortions")
    more = _without(more, "process_image", "rescale_ylim")
    mad = int(hasattr(synthesis, "optimized_metric_loss"))
    for name in ("included_plots", "width_ratios", "axes_idx"):
        given, own = more.get(name), {k: of[mad] for k, of in _NAMES.items()}
        if mad and name == "axes_idx":
            own = _AXES
        if isinstance(given, dict):
            more[name] = {own.get(k, k): v for k, v in given.items()}
        elif given is not None:
            more[name] = [own.get(k, k) for k in given]
    return draw(_own(synthesis), **more)


def synthesis_status(synthesis: Any, *args: Any, **more: Any) -> Any:
    """Draw the status of a synthesis; plenoptic returns the figure alone."""
    more |= dict(zip(("batch_idx", "channel_idx"), args, strict=False))
    figure, _ = _figure(plots.plot_synthesis_status, synthesis, more)
    return figure


def synthesis_animate(synthesis: Any, *args: Any, **more: Any) -> Any:
    """Return the film of a synthesis."""
    more |= dict(zip(("framerate", "batch_idx", "channel_idx"), args, strict=False))
    return _figure(plots.animate, synthesis, more)


def update_plot(axes: Any, data: Any, *args: Any, **more: Any) -> Any:
    """Change the data of a plot."""
    return plots.update_plot(axes, data, *args, **_without(more, "rescale_ylim"))


def eigendistortion_imshow_all(
    synthesis: Any, eigenindex: Any = None, distortion_scale: Any = 5.0, *args: Any, **more: Any
) -> Any:
    """Draw eigendistortions; their scale is called alpha here, and one of them is a list of one."""
    if isinstance(eigenindex, int):
        eigenindex = [eigenindex]
    return plots.display_eigendistortion_all(synthesis, eigenindex, distortion_scale, *args, **more)


def plot_representation(*args: Any, **more: Any) -> Any:
    """Draw a model's output; None is no size of a figure here."""
    if more.get("figsize", ()) is None:
        del more["figsize"]
    return plots.plot_representation(*args, **_without(more, "axes_direction", "gridspec_kwargs"))
