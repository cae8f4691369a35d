"""Plots of phase durations on the screen and of response times."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from analysis.plots import style


def timing_plot(extra_frames: np.ndarray, rts_s: Sequence[float]) -> Figure:
    """Plot two histograms: frames shown beyond the plan, and response times.

    Parameters
    ----------
    extra_frames
        Realised minus planned frames, one entry per phase with a picture (N,).
    rts_s
        Response times in seconds.
    """
    made = style.figure(6.8, 2.7)
    left, right = made.subplots(1, 2)
    style.quiet(left)
    style.quiet(right)
    if len(extra_frames):
        values, counts = np.unique(extra_frames, return_counts=True)
        colours = [style.BEST if value == 0 else style.TRUE for value in values]
        left.bar(values, counts, color=colours, width=0.8)
        edge = max(3.0, float(np.abs(values).max()) + 1)
        left.set_xlim(-edge, edge)
        if counts.max() > 20 * counts.min():
            left.set_yscale("log")
    left.set_xlabel("frames shown minus frames planned")
    left.set_ylabel("picture phases")
    if len(rts_s):
        top = max(float(np.quantile(rts_s, 0.99)) * 1.1, 0.5)
        right.hist(np.clip(rts_s, 0, top), bins=30, range=(0, top), color=style.BAND)
    right.set_xlabel("response time (s)")
    right.set_ylabel("trials")
    return made
