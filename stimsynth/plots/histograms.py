"""Histograms of tensors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from stimsynth.images.arrays import to_numpy
from stimsynth.plots.blank import own_axes
from stimsynth.plots.checks import check_bins, check_options
from stimsynth.plots.gates import drawing_axes, drawn_with, some_titles
from stimsynth.plots.legends import legend_above
from stimsynth.plots.outputs.parts import item_of
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import takes
from stimuli_store.tools.whole import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 64


@takes(labels=some_titles, ax=drawing_axes)
def histogram(
    data: Tensor | np.ndarray | Sequence[Tensor | np.ndarray],
    labels: str | Sequence[str] | None = None,
    batch_idx: int | None = 0,
    channel_idx: int | None = None,
    ax: "Axes | None" = None,
    **hist: Any,
) -> "Axes":
    """Plot histograms of the values of tensors, in common bins.

    Parameters
    ----------
    data
        Images or outputs, real, (batch, channel, …); or a list of such, of any shapes.
    labels
        Names in the legend, one for each; None for no legend.
    batch_idx, channel_idx
        Number in the batch, and of the channel; None for all.
    ax
        Axes to draw on; None for a new figure.
    hist
        Further arguments of `matplotlib.axes.Axes.hist`.

    Returns
    -------
    Axes
        The axes; a notebook shows their figure. Values that are NaN or infinite do not count.

    Raises
    ------
    InputError
        (a ValueError) if there is no such image or channel, or the number of labels is another.

    Examples
    --------
    >>> import torch
    >>> ax = histogram([torch.rand(1, 1, 8, 8), torch.rand(1, 1, 16, 16)], ["few", "many"])
    >>> int(sum(bar.get_height() for bar in ax.patches))
    320
    """
    check_options(hist, "hist", histogram)
    check_bins(hist.get("bins"))
    several = list(data) if isinstance(data, list | tuple) else [data]
    if not several:
        raise InputError("there is nothing to plot; give a tensor, or a list of tensors")
    names = _names(labels, len(several))
    shown = [_values(one, batch_idx, channel_idx) for one in several]
    every = np.concatenate(shown)
    low, high = (float(every.min()), float(every.max())) if every.size else (0.0, 1.0)
    ax = own_axes("constrained") if ax is None else ax
    style = {"bins": np.linspace(low, high, _BINS + 1), "alpha": 0.5, **hist}
    for values, name in zip(shown, names, strict=True):
        with drawn_with(hist):
            ax.hist(values, label=name, **style)
    ax.set(xlabel="Value", ylabel="Number of values")
    if any(names):
        legend_above(ax)
    return ax


def _names(labels: str | Sequence[str] | None, count: int) -> list[str]:
    given = [labels] if isinstance(labels, str) else labels
    given = [""] * count if given is None else list(given)
    if len(given) != count:
        raise InputError(f"{count} tensors need as many labels; not {given}")
    return given


def _values(of: Any, batch_idx: int | None, channel_idx: int | None) -> np.ndarray:
    """Return the finite values that are counted, shape (n,)."""
    first = item_of(of, 0 if batch_idx is None else batch_idx)
    chosen = to_numpy(of) if batch_idx is None else first[None]
    if np.iscomplexobj(chosen):
        raise InputError("complex values have no histogram; give their modulus, or one part")
    if channel_idx is not None:
        number, count = whole(channel_idx, "channel_idx"), chosen.shape[1]
        if not -count <= number < count:
            raise InputError(f"there are {count} channels; there is no channel_idx {number}")
        chosen = chosen[:, number]
    values = chosen.ravel().astype(np.float64)
    return np.asarray(values[np.isfinite(values)])
