"""No-U-turn sampling of crossed random-effects models of counts, by numpyro (the extra ``[bayes]``).

The log posterior is that of the Laplace approximation, which also gives the start and the mass matrix, so
that few steps are needed. Effects are sampled as multiples of their standard deviation where that is small
beside the error of the answers (non-centred), and as they are where it is large (centred).

Sources: Hoffman & Gelman (2014), JMLR 15, 1593-1623; Papaspiliopoulos, Roberts & Sköld (2007), Statistical
Science 22, 59-73 (centring); Vehtari et al. (2021), Bayesian Analysis 16, 667-718 (R-hat).
"""

from typing import Any

import numpy as np

from analysis.infer.laplace import HighestPoint, highest_point
from analysis.infer.mixed import MixedPosterior, MixedProblem
from stimuli_store.errors import missing_extra

N_CHAINS, N_WARMUP, N_DRAWS = 4, 500, 1000
_TARGET = 0.95  # of the acceptance probability
_EDGE = 1e-9
_CHECKED = 400  # draws that predictive checks use


def nuts(problem: MixedProblem, quantities: np.ndarray, *, seed: int = 0) -> MixedPosterior:
    """Return the posterior of linear quantities of a mixed problem, as draws.

    Parameters and result are those of `laplace`. The diagnostics are the largest R-hat, the smallest
    effective sample size, and the number of divergent transitions.

    Raises
    ------
    MissingExtra
        If numpyro is not installed.
    """
    try:
        import jax
        import numpyro
    except ImportError:
        raise missing_extra(
            "method='nuts', unlike method='laplace', needs numpyro", "bayes"
        ) from None
    top = highest_point(problem)
    noise = _noise(problem, top)
    with _double_precision(jax):
        chains, diverging = _sample(jax, problem, top, noise, seed)
        x, tau, _ = _unknowns(problem, noise, np, chains)
        mean = x * problem.loads(tau.reshape(-1, tau.shape[-1])).reshape(x.shape) @ quantities.T
        # asinh tames the long tail of τ, of which R-hat would need ranks.
        seen = np.concatenate([mean, np.arcsinh(np.abs(tau) / problem.scales)], axis=-1)
        r_hat = numpyro.diagnostics.split_gelman_rubin(seen)
        n_effective = numpyro.diagnostics.effective_sample_size(seen)
    n = x.shape[0] * x.shape[1]
    x, tau = x.reshape(n, -1), tau.reshape(n, -1)
    kept = np.linspace(0, n - 1, min(n, _CHECKED)).astype(int)
    return MixedPosterior(
        weight=np.full(n, 1 / n),
        mean=mean.reshape(n, -1),
        sd=np.zeros((n, len(quantities))),
        tau=np.abs(tau),
        cells=problem.cell_parameters(x[kept], tau[kept]),
        diagnostics={
            "r_hat": float(np.max(r_hat)),
            "effective_draws": float(np.min(n_effective)),
            "divergences": float(diverging),
        },
    )


def _double_precision(jax: Any) -> Any:
    """Return the context in which JAX computes in float64."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax.experimental import enable_x64

    return enable_x64()


def _noise(problem: MixedProblem, top: HighestPoint) -> np.ndarray:
    """Return the error (E,) with which the answers alone determine each effect τ·z, from its share left."""
    left = np.diag(top.covariance)[len(problem.start) :]
    effect = np.repeat(np.arange(len(problem.effects)), problem.counts)
    means = np.bincount(effect, left, minlength=len(problem.effects)) / problem.counts
    share = np.clip(means, 1e-3, 1 - 1e-3)
    tau = problem.scales * np.maximum(np.sinh(top.v), 1e-3)
    return tau * np.sqrt(share / (1 - share))


def _unknowns(
    problem: MixedProblem, noise: np.ndarray, xp: Any, place: Any
) -> tuple[Any, Any, Any]:
    """Return unknowns (..., D), τ (..., E) and log stretches (..., E) at a place (..., D + E) of the sampler.

    An effect with error δ is sampled as z·√(1 + τ²/δ²), whose posterior deviation is about 1 for any τ: it is
    z itself while τ is small (non-centred), and τ·z/δ when τ is large (centred).
    """
    tau = xp.asarray(problem.scales) * xp.sinh(place[..., problem.size :])
    stretch = 0.5 * xp.log1p((tau / xp.asarray(noise)) ** 2)
    effect = np.repeat(np.arange(len(problem.effects)), problem.counts)
    common = place[..., : len(problem.start)]
    z = place[..., len(problem.start) : problem.size] * xp.exp(-stretch)[..., effect]
    return xp.concatenate([common, z], axis=-1), tau, stretch


def _potential(jax: Any, problem: MixedProblem, noise: np.ndarray) -> Any:
    """Return the negative log posterior as a function of a place (D + E,)."""
    xp = jax.numpy
    parameter, columns = problem.terms
    onto = np.eye(len(problem.start))[parameter]
    effect = np.repeat(np.arange(len(problem.effects)), problem.counts)
    right, wrong = problem.n_correct, problem.n_trials - problem.n_correct

    def potential(place: Any) -> Any:
        x, tau, stretch = _unknowns(problem, noise, xp, place)
        n_common = len(problem.start)
        loads = xp.concatenate([xp.ones(n_common), tau[effect]])
        theta = (x * loads)[columns] @ onto
        p = xp.clip(problem.formula(xp, theta), _EDGE, 1 - _EDGE)
        value = (right * xp.log(p) + wrong * xp.log1p(-p)).sum()
        value = value + problem.log_prior(xp, x[:n_common]) - 0.5 * (x[n_common:] ** 2).sum()
        # The density of v, and that of an effect divided by its stretch.
        value = value - xp.log(xp.cosh(place[problem.size :])).sum()
        return (problem.counts * stretch).sum() - value

    return potential


def _sample(
    jax: Any, problem: MixedProblem, top: HighestPoint, noise: np.ndarray, seed: int
) -> tuple[np.ndarray, int]:
    """Return places (chains, draws, D + E) and the number of divergent transitions."""
    from numpyro.infer import MCMC, NUTS

    size, n = problem.size, problem.size + len(problem.effects)
    matrix = np.zeros((n, n))
    stretch = np.sqrt(1 + (problem.scales * np.sinh(top.v) / noise) ** 2)
    scale = problem.loads(stretch[None])[0]
    matrix[:size, :size] = top.covariance * np.outer(scale, scale)
    matrix[size:, size:] = top.root @ top.root.T
    rng = np.random.default_rng(seed)
    begin = np.concatenate([top.x * scale, top.v])
    spread = rng.standard_normal((N_CHAINS, n)) @ np.linalg.cholesky(matrix).T
    starts = begin + 0.5 * spread
    starts[:, size:] = np.maximum(starts[:, size:], 0.3 * top.v + 1e-3)
    kernel = NUTS(
        potential_fn=_potential(jax, problem, noise),
        inverse_mass_matrix=matrix,
        dense_mass=True,
        adapt_mass_matrix=False,
        target_accept_prob=_TARGET,
    )
    sampler = MCMC(
        kernel,
        num_warmup=N_WARMUP,
        num_samples=N_DRAWS,
        num_chains=N_CHAINS,
        chain_method="vectorized",
        progress_bar=False,
    )
    key = jax.random.PRNGKey(seed)
    sampler.run(key, init_params=jax.numpy.asarray(starts), extra_fields=("diverging",))
    diverging = int(np.sum(sampler.get_extra_fields()["diverging"]))
    return np.asarray(sampler.get_samples(group_by_chain=True)), diverging
