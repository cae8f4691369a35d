"""Posterior predictive checks: answers scatter as a model of cells says, overall and by person or image.

Source: Gelman, Meng & Stern (1996), Statistica Sinica 6, 733-807.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

_EDGE = 1e-9


@dataclass(frozen=True, kw_only=True)
class PredictiveChecks:
    """Shares of simulated repetitions whose answers scatter more about the curves than those observed.

    A share near 0 says that the model does not describe the answers; near 1, that they scatter too little.

    Attributes
    ----------
    overall
        The share for all answers.
    by_level
        Shares for the answers of each level of a factor, by name of the factor.
    n_draws
        Number of simulated repetitions.

    Examples
    --------
    >>> PredictiveChecks(overall=0.45, by_level={"images": np.array([0.0, 0.31])}, n_draws=400)
    0.45 (least of images < 0.0025)
    """

    overall: float
    by_level: Mapping[str, np.ndarray]
    n_draws: int

    def __repr__(self) -> str:
        worst = {name: float(shares.min()) for name, shares in self.by_level.items()}
        parts = ", ".join(f"least of {name} {self._told(share)}" for name, share in worst.items())
        return self._told(self.overall) + (f" ({parts})" if parts else "")

    def _told(self, share: float) -> str:
        least = 1 / self.n_draws
        return f"{share:.3g}" if share >= least else f"< {least:.2g}"


def predictive_checks(
    p: np.ndarray,
    n_correct: np.ndarray,
    n_trials: np.ndarray,
    factors: Mapping[str, np.ndarray],
    *,
    seed: int,
) -> PredictiveChecks:
    """Return the checks of drawn probabilities (S, C, L) against counts (C, L), by factors with codes (C,).

    The scatter is Pearson's χ² about the drawn probabilities, of the answers and of answers simulated from
    these; ties count half.
    """
    rng = np.random.default_rng(seed)
    p = np.clip(p, _EDGE, 1 - _EDGE)
    spread = np.maximum(n_trials * p * (1 - p), 1e-12)
    again = rng.binomial(n_trials.astype(np.int64), p)
    seen = ((n_correct - n_trials * p) ** 2 / spread).sum(axis=-1)
    simulated = ((again - n_trials * p) ** 2 / spread).sum(axis=-1)

    def share(codes: np.ndarray) -> np.ndarray:
        sums = np.eye(int(codes.max()) + 1)[codes]
        more = simulated @ sums - seen @ sums
        return ((more > 1e-9) + 0.5 * (np.abs(more) <= 1e-9)).mean(axis=0)

    return PredictiveChecks(
        overall=float(share(np.zeros(len(n_trials), dtype=np.intp))[0]),
        by_level={name: share(codes) for name, codes in factors.items()},
        n_draws=len(p),
    )
