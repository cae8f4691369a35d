"""Plots with plenoptic's arguments; those that this project does not have are not offered."""

from typing import Any

from benchmarks.peer_tests.errors import NotOffered
from stimsynth import plots

_NAMES = {
    "synthesis_imshow": ("display_metamer", "display_mad_image"),
    "synthesis_loss": ("plot_loss", "plot_loss"),
    "synthesis_histogram": ("plot_pixel_values", "plot_pixel_values"),
    "metamer_representation_error": ("plot_representation_error", "plot_representation_error"),
}


def _without(kwargs: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return arguments without some, which must be as by default."""
    for name in names:
        if kwargs.pop(name, None) not in (None, False, {}):
            raise NotOffered(f"the argument {name} of a plot")
    unknown = [name for name in kwargs if name.endswith("_kwargs") and kwargs[name]]
    if unknown:
        raise NotOffered(f"the argument {unknown[0]} of a plot")
    return {name: value for name, value in kwargs.items() if not name.endswith("_kwargs")}


def synthesis_loss(
    synthesis: Any, iteration: Any = None, plot_penalties: bool = False, ax: Any = None, **more: Any
) -> Any:
    """Draw the loss; penalties are not drawn beside it."""
    _without({"plot_penalties": plot_penalties}, "plot_penalties")
    return plots.plot_loss(synthesis, iteration, ax, **more)


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
        return plots.display_eigendistortion(synthesis, batch_idx, alpha, **more)
    more.pop("distortion_scale", None)
    return plots.display_image(synthesis, batch_idx, channel_idx, **_without(more, "process_image"))


def _figure(draw: Any, synthesis: Any, more: dict[str, Any]) -> Any:
    if hasattr(synthesis, "eigendistortions"):
        raise NotOffered("a status of eigendistortions")
    more = _without(more, "process_image", "rescale_ylim")
    mad = int(hasattr(synthesis, "optimized_metric_loss"))
    for name in ("included_plots", "width_ratios", "axes_idx"):
        given = more.get(name)
        if isinstance(given, dict):
            more[name] = {_NAMES.get(k, (k, k))[mad]: v for k, v in given.items()}
        elif given is not None:
            more[name] = [_NAMES.get(k, (k, k))[mad] for k in given]
    return draw(synthesis, **more)


def synthesis_status(synthesis: Any, *args: Any, **more: Any) -> Any:
    """Draw the status of a synthesis."""
    more |= dict(zip(("batch_idx", "channel_idx"), args, strict=False))
    return _figure(plots.plot_synthesis_status, synthesis, more)


def synthesis_animate(synthesis: Any, *args: Any, **more: Any) -> Any:
    """Return the film of a synthesis."""
    more |= dict(zip(("framerate", "batch_idx", "channel_idx"), args, strict=False))
    return _figure(plots.animate, synthesis, more)


def update_plot(axes: Any, data: Any, *args: Any, **more: Any) -> Any:
    """Change the data of a plot."""
    return plots.update_plot(axes, data, *args, **_without(more, "rescale_ylim"))


def plot_representation(*args: Any, **more: Any) -> Any:
    """Draw a model's output."""
    return plots.plot_representation(*args, **_without(more, "axes_direction", "gridspec_kwargs"))
