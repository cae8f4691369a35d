"""Views of syntheses: what plots show of each method, as arrays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from stimsynth.images.arrays import to_numpy
from stimsynth.plots.outputs.parts import side_by_side
from stimsynth.validate.iterations import iterate_number
from stimuli_store.errors import InputError, WrongType

Synthesis = Any
"""A `Metamer`, `MetamerCTF`, `SimpleMetamer`, `MADCompetition`, `Geodesic` or `OptimizedImage`, or an object
with the same attributes."""

IMAGE, LOSS, HISTOGRAM, ERROR = (
    "display_image",
    "plot_loss",
    "plot_pixel_values",
    "plot_representation_error",
)


@dataclass(frozen=True, kw_only=True)
class SynthesisView:
    """Arrays of a synthesis that plots show.

    Attributes
    ----------
    name, reference_name
        Names of the result and of the image to compare it with.
    result
        The result so far, shape (batch, channel, height, width).
    reference
        Image to compare with, of the same form; None if there is none.
    kept
        Function that returns the stored iterates, shape (kept, batch, channel, height, width).
    every
        Steps between stored iterates; 0 if none are stored.
    last
        Number of the last iterate.
    allowed_range
        (low, high) of pixels.
    names
        Names of the plots in a status figure, each with the key of its axes.
    included
        Those that a status figure has by default.
    frame
        Height and width of a frame, if the images are sheets of several; None for other methods.
    model, target
        Model and its goal, of which the representation error can be plotted; None for other methods.
    """

    name: str
    reference_name: str
    result: np.ndarray
    reference: np.ndarray | None
    kept: Callable[[], np.ndarray]
    every: int
    last: int
    allowed_range: tuple[float, float]
    names: Mapping[str, str]
    included: tuple[str, ...]
    frame: tuple[int, int] | None = None
    model: nn.Module | None = None
    target: Tensor | None = None

    def images(self, iteration: int | None) -> np.ndarray:
        """Return the result, or the stored iterate nearest to an iteration.

        Raises
        ------
        InputError
            If there is no such iteration, or none were stored.
        """
        row = iterate_number(iteration, self.last)
        if row == self.last:
            return self.result
        kept = self.stored()
        return kept[min(round(row / self.every), len(kept) - 1)]

    def stored(self) -> np.ndarray:
        """Return the stored iterates.

        Raises
        ------
        InputError
            If there are none.
        """
        kept = self.kept() if self.every else np.empty(0)
        if not len(kept):
            raise InputError(
                "only the last iterate can be shown, no iterates were saved; call synthesize with "
                "store_progress"
            )
        return kept

    def error(self, images: np.ndarray, **forward: Any) -> Tensor:
        """Return the model's output for images minus the goal.

        Raises
        ------
        InputError
            If the method has no model with a goal.
        """
        if self.model is None or self.target is None:
            raise InputError(f"a {self.name} has no target representation, and so no error of it")
        with torch.no_grad():
            points = torch.from_numpy(np.ascontiguousarray(images)).to(self.target.device)
            return self.model(points.to(self.target.real.dtype), **forward) - self.target


def view_of(synthesis: Synthesis, attribute: str = "") -> SynthesisView:
    """Return the arrays of a synthesis that plots show.

    Parameters
    ----------
    synthesis
        The synthesis.
    attribute
        An attribute that it must have, if the plot is of one method.

    Raises
    ------
    WrongType
        (also a TypeError) if it is none, or lacks the attribute.
    """
    for kind, make in _KINDS.items():
        if hasattr(synthesis, kind) and kind.startswith(attribute):
            return make(synthesis)
    method = _METHODS.get(attribute, "synthesis with images and losses")
    raise WrongType(f"this plot shows a {method}; not a {type(synthesis).__name__}")


_METHODS = {"metamer": "Metamer", "mad_image": "MADCompetition"}


def _common(synthesis: Synthesis, losses: Any, saved: str) -> dict[str, Any]:
    return {
        "every": int(getattr(synthesis, "store_progress", 0)),
        "last": len(losses) - 1,
        "kept": lambda: to_numpy(getattr(synthesis, saved)),
        "allowed_range": getattr(synthesis, "allowed_range", (0.0, 1.0)),
    }


def _metamer(met: Synthesis) -> SynthesisView:
    image = met.image
    names = ("display_metamer", LOSS, ERROR, HISTOGRAM)
    return SynthesisView(
        name="metamer",
        reference_name="target image",
        result=to_numpy(met.metamer),
        reference=None if image is None else to_numpy(image),
        names={name: name for name in names},
        included=("display_metamer", LOSS, ERROR),
        model=met.model,
        target=met.target_representation,
        **_common(met, met.losses, "saved_metamer"),
    )


def _competition(mad: Synthesis) -> SynthesisView:
    return SynthesisView(
        name="MAD image",
        reference_name="reference image",
        result=to_numpy(mad.mad_image),
        reference=to_numpy(mad.image),
        names={"display_mad_image": "mad_image", LOSS: "loss", HISTOGRAM: "pixel_values"},
        included=("display_mad_image", LOSS, HISTOGRAM),
        **_common(mad, mad.optimized_metric_loss, "saved_mad_image"),
    )


def _geodesic(path: Synthesis) -> SynthesisView:
    def sheets(frames: np.ndarray) -> np.ndarray:
        """Return sequences (…, frames, channel, height, width) as one picture each."""
        return np.stack([np.stack([side_by_side(x) for x in c]) for c in frames.swapaxes(1, 2)])

    common = _common(path, path.losses, "saved_geodesic")
    return SynthesisView(
        name="geodesic",
        reference_name="pixelfade",
        result=sheets(to_numpy(path.geodesic)[None]),
        reference=sheets(to_numpy(path.pixelfade)[None]),
        names={"display_geodesic": "display_geodesic", LOSS: LOSS, HISTOGRAM: HISTOGRAM},
        included=("display_geodesic", LOSS),
        frame=(path.geodesic.shape[-2], path.geodesic.shape[-1]),
        **{
            **common,
            "kept": lambda: np.stack([sheets(x[None]) for x in to_numpy(path.saved_geodesic)]),
        },
    )


def _optimized(run: Synthesis) -> SynthesisView:
    return SynthesisView(
        name="optimized image",
        reference_name="initial image",
        result=to_numpy(run.image),
        reference=to_numpy(run.initial_image),
        names={IMAGE: IMAGE, LOSS: LOSS, HISTOGRAM: HISTOGRAM},
        included=(IMAGE, LOSS, HISTOGRAM),
        **_common(run, run.objectives, "saved_image"),
    )


#: Attribute by which each method's syntheses are known, and the function that makes the view.
_KINDS: dict[str, Callable[[Synthesis], SynthesisView]] = {
    "metamer": _metamer,
    "mad_image": _competition,
    "geodesic": _geodesic,
    "objectives": _optimized,
}


@dataclass(frozen=True, kw_only=True)
class LossCurve:
    """A curve over the iterations.

    Attributes
    ----------
    title
        Label of its vertical axis.
    values
        Shape (steps + 1, batch).
    scale
        Scale of the vertical axis.
    """

    title: str
    values: np.ndarray
    scale: Literal["log", "linear"]


def curves_of(synthesis: Synthesis) -> list[LossCurve]:
    """Return the curves of a synthesis: its loss, or both metrics of a competition.

    Raises
    ------
    WrongType
        (also a TypeError) if it has none.
    """
    if hasattr(synthesis, "optimized_metric_loss"):
        pairs = {
            "Optimized metric loss": synthesis.optimized_metric_loss,
            "Reference metric loss": synthesis.reference_metric_loss,
        }
        return [
            LossCurve(title=title, values=np.abs(to_numpy(column)), scale="linear")
            for title, column in pairs.items()
        ]
    if hasattr(synthesis, "objectives"):
        return [LossCurve(title="Objective", values=to_numpy(synthesis.objectives), scale="linear")]
    if not isinstance(getattr(synthesis, "losses", None), Tensor | np.ndarray):
        raise WrongType(
            f"this plot shows a synthesis with losses; not a {type(synthesis).__name__}"
        )
    return [LossCurve(title="Loss", values=to_numpy(synthesis.losses), scale="log")]
