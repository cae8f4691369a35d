"""Eigenspaces at the ends of a spectrum: repeated eigenvalues and null spaces."""

from dataclasses import dataclass

from torch import Tensor

_SAME = (
    1e-6  # in units of λmax: closer eigenvalues count as equal; they are more exact than residuals
)
_UNSEEN = 1e-8  # in units of λmax: smaller eigenvalues count as 0; ‖Jv‖ is below 1e-4 ‖J‖


@dataclass(frozen=True, kw_only=True)
class Eigenspace:
    """Dimension and eigenvalue of the eigenspace at one end of a spectrum, as far as they are known.

    Attributes
    ----------
    value
        The eigenvalue.
    at_least
        Number of dimensions that are certain: orthonormal vectors found with this value to 1e-6 λmax, or,
        if it is 0, the number of inputs minus the number of outputs.
    complete
        Whether there are no more dimensions: the next eigenvalue was found, and differs.
    estimate
        Estimated number of dimensions, from the spectral measure of a random vector: for d dimensions its
        standard deviation is about sqrt(2 d). None if there is no estimate, or the number is known.
    is_null
        Whether the eigenvalue is 0 to 1e-8 λmax, or certainly 0 because there are more inputs than outputs:
        the model is insensitive to these directions.
    """

    value: float
    at_least: int
    complete: bool
    estimate: float | None
    is_null: bool

    def __str__(self) -> str:
        name = "the null space" if self.is_null else f"the eigenspace of {self.value:.4g}"
        dimensions = f"{self.at_least} dimension{'s' * (self.at_least != 1)}"
        if self.complete:
            return f"{name} has {dimensions}"
        if self.estimate is None or self.estimate <= self.at_least + 2:  # within its uncertainty
            return f"{name} has at least {dimensions}"
        return f"{name} has at least {dimensions}, about {self.estimate:.3g} by estimate"


@dataclass(frozen=True, kw_only=True)
class SpectralMeasure:
    """Spectral measure of an n × n matrix for a random vector: eigenvalue estimates and weights.

    Attributes
    ----------
    nodes, weights
        Eigenvalue estimates, and the fraction of the vector's squared norm near each; shape (r,).
    n
        Number of eigenvalues.

    References
    ----------
    L. Lin, Y. Saad & C. Yang (2016), "Approximating spectral densities of large matrices", SIAM Review
    58(1), 34–65.
    """

    nodes: Tensor
    weights: Tensor
    n: int

    def near(self, value: float, largest: float) -> float:
        """Return the estimated number of eigenvalues equal to `value`."""
        close = (self.nodes - value).abs() <= _SAME * largest
        return float(self.n * self.weights[close].sum())


def describe(
    value: float,
    largest: float,
    found: Tensor,
    *,
    whole: bool = False,
    confirmed: bool = False,
    surplus: int = 0,
    measure: SpectralMeasure | None = None,
) -> Eigenspace:
    """Return the eigenspace of an extreme eigenvalue, given the eigenvalues found at its end.

    Parameters
    ----------
    value, largest
        The eigenvalue, and λmax.
    found
        Eigenvalues found at the same end, `value` among them, shape (r,).
    whole
        Whether these are all eigenvalues of the matrix.
    confirmed
        Whether a second search found no missing eigenvalue among them.
    surplus
        For the smallest eigenvalue, inputs minus outputs: so many eigenvalues are certainly 0.
    measure
        Spectral measure of a random vector, if there is one.

    Examples
    --------
    >>> import torch
    >>> found = torch.tensor([1.0, 1.0, 0.5], dtype=torch.float64)
    >>> print(describe(1.0, 1.0, found, confirmed=True))
    the eigenspace of 1 has 2 dimensions
    """
    is_null = surplus > 0 or value <= _UNSEEN * largest
    apart = (_UNSEEN if is_null else _SAME) * largest
    centre = 0.0 if is_null else value
    same = int(((found - centre).abs() <= apart).sum())
    return Eigenspace(
        value=value,
        at_least=max(same, surplus) if is_null else same,
        complete=whole or (confirmed and same < len(found)),
        estimate=None if whole or measure is None else measure.near(centre, largest),
        is_null=is_null,
    )
