"""Prior of the parameters of a cell's curve, with derivatives and as one formula for any array module."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.infer.likelihood import LAPSE_A, LAPSE_B, lapse_of


@dataclass(frozen=True, kw_only=True)
class CellPrior:
    """Normal priors of parameters, and Beta(2, 50) of the lapse rate in the last column up to `top`."""

    mean: tuple[float, ...]
    sd: tuple[float, ...]
    top: float = 0.0

    def terms(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return log density (B,), gradient (B, K) and curvature (B, K)."""
        n = len(self.mean)
        off = (x[:, :n] - self.mean) / self.sd
        gradient, curvature = -off / self.sd, np.ones_like(off) / np.square(self.sd)
        if self.top:
            lapse, slope = lapse_of(x[:, [n]], self.top)
            left, kept = 1 - lapse / self.top, 1 - lapse
            turn = LAPSE_A * left - (LAPSE_B - 1) * slope / kept - lapse / self.top
            bend = ((1 - 2 * lapse / self.top) * kept + slope) / kept**2
            bent = slope * ((LAPSE_A + 1) / self.top + (LAPSE_B - 1) * bend)
            gradient = np.concatenate([gradient, turn], axis=1)
            curvature = np.concatenate([curvature, np.maximum(bent, 1e-6)], axis=1)
        return self.log_density(np, x), gradient, curvature

    def log_density(self, xp: Any, x: Any) -> Any:
        """Return the log density of parameters (..., K) up to a constant."""
        n = len(self.mean)
        off = (x[..., :n] - xp.asarray(self.mean)) / xp.asarray(self.sd)
        value = -0.5 * (off**2).sum(axis=-1)
        if not self.top:
            return value
        lapse = _lapse(xp, x[..., n], self.top)
        value = value + LAPSE_A * xp.log(lapse) + (LAPSE_B - 1) * xp.log1p(-lapse)
        return value + xp.log1p(-lapse / self.top)


def _lapse(xp: Any, u: Any, top: float) -> Any:
    return top / (1 + xp.exp(-xp.clip(u, -30, 30)))
