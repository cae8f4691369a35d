"""Curvature of N independent problems from their last steps: the memory of limited-memory BFGS.

The two-loop recursion runs on coefficients: every vector in it is a combination of the stored steps, the
stored gradient changes and the vector it is applied to, so it needs only their inner products (Chen, Wang
& Zhou 2014, "Large-scale L-BFGS using MapReduce"). A step takes three products with the long vectors,
however many pairs are stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from stimsynth.numerics.reductions import combined, dots, norms, products

_CURVED = 1e-10


@dataclass(frozen=True, kw_only=True)
class Curvature:
    """Last m pairs of steps and gradient changes of N problems, and the inverse Hessian they imply.

    `basis` (N, 2m, n) holds m steps, then m gradient changes; `gram` (N, 2m, 2m) their inner products;
    `age` is the number of pairs written so far; the next one goes to slot ``age % m``. `updated` and
    `forgotten` write both tensors in place, so a memory can be continued once.
    """

    basis: Tensor
    gram: Tensor
    age: int

    @classmethod
    def unknown(cls, like: Tensor, memory: int) -> "Curvature":
        """Return an empty memory for `memory` pairs, for problems with points like `like` (N, …)."""
        count, size = len(like), like[0].numel()
        return cls(
            basis=like.new_zeros(count, 2 * memory, size),
            gram=torch.zeros(
                count, 2 * memory, 2 * memory, dtype=torch.float64, device=like.device
            ),
            age=0,
        )

    @property
    def fresh(self) -> Tensor:
        """Mask (N,) of the problems without any pair."""
        m = self.gram.shape[1] // 2
        return (self.gram[:, :m, m:].diagonal(dim1=1, dim2=2) <= 0).all(dim=1)

    def times(self, vectors: Tensor) -> Tensor:
        """Return the inverse-Hessian estimate times K vectors for every problem, shape (N, K, n).

        The estimate is positive definite; for problems without pairs it is the identity.
        """
        if self.age == 0:
            return vectors
        scale, on_basis = self._recursion(products(self.basis, vectors).double())
        scaled = scale.to(vectors.dtype).view(-1, 1, 1) * vectors
        return scaled + combined(on_basis.transpose(1, 2), self.basis)

    def updated(self, step: Tensor, change: Tensor, known: Tensor, forget: Tensor) -> "Curvature":
        """Return the memory with one more pair for every problem.

        Parameters
        ----------
        step, change
            Step and change of the gradient along it, shape (N, n).
        known
            Mask (N,) of problems with such a pair. Pairs without positive curvature are left out too.
        forget
            Mask (N,) of problems that lose all pairs.
        """
        m, slot = self.gram.shape[1] // 2, self.age % (self.gram.shape[1] // 2)
        basis, gram = self.forgotten(forget).basis, self.gram
        keep = (known & curved(step, change)).unsqueeze(1)
        pair = torch.stack([torch.where(keep, step, 0), torch.where(keep, change, 0)], dim=1)
        basis[:, [slot, m + slot]] = pair
        found = products(basis, pair).double()
        gram[:, :, [slot, m + slot]] = found
        gram[:, [slot, m + slot], :] = found.transpose(1, 2)
        return Curvature(basis=basis, gram=gram, age=self.age + 1)

    def forgotten(self, which: Tensor) -> "Curvature":
        """Return the memory without the pairs of the problems in `which`, bool (N,)."""
        if which.any():
            self.basis[which], self.gram[which] = 0, 0
        return self

    def record(self) -> dict[str, Any]:
        """Return the memory as tensors and numbers."""
        return {"basis": self.basis, "gram": self.gram, "age": self.age}

    @classmethod
    def revived(cls, record: Mapping[str, Any]) -> "Curvature":
        """Return the memory from its `record`; inner products stay in double precision."""
        return cls(**{**record, "gram": record["gram"].double()})

    def _recursion(self, products: Tensor) -> tuple[Tensor, Tensor]:
        """Return coefficients of the two-loop recursion: of the vectors (N,), of the basis (N, 2m, K)."""
        m, gram = self.gram.shape[1] // 2, self.gram
        slots = [(self.age - 1 - k) % m for k in range(min(self.age, m))]  # newest first
        on_basis = torch.zeros_like(products)
        inverse = _reciprocal(gram[:, :m, m:].diagonal(dim1=1, dim2=2)).unsqueeze(2)
        alphas = {}
        for k in slots:
            s_dot_q = products[:, k] + (gram[:, k].unsqueeze(2) * on_basis).sum(1)
            alphas[k] = s_dot_q * inverse[:, k]
            on_basis[:, m + k] -= alphas[k]
        newest = self._newest_scale(slots)
        on_basis = on_basis * newest.view(-1, 1, 1)
        for k in reversed(slots):
            on_vector = newest.unsqueeze(1) * products[:, m + k]
            y_dot_r = on_vector + (gram[:, m + k].unsqueeze(2) * on_basis).sum(1)
            on_basis[:, k] += alphas[k] - y_dot_r * inverse[:, k]
        return newest, on_basis

    def _newest_scale(self, slots: list[int]) -> Tensor:
        """Return s·y / y·y of each problem's newest valid pair, the scale of its inverse Hessian."""
        m, gram = self.gram.shape[1] // 2, self.gram
        along = gram[:, :m, m:].diagonal(dim1=1, dim2=2)
        ratios = (along * _reciprocal(gram[:, m:, m:].diagonal(dim1=1, dim2=2)))[:, slots]
        valid = ratios > 0
        newest = ratios.gather(1, valid.byte().argmax(dim=1, keepdim=True)).squeeze(1)
        return torch.where(valid.any(dim=1), newest, 1.0)


def curved(step: Tensor, change: Tensor) -> Tensor:
    """Return which pairs of a step and a gradient change (N, n) show positive curvature, bool (N,)."""
    return dots(step, change) > _CURVED * norms(step) * norms(change)


def _reciprocal(value: Tensor) -> Tensor:
    """Return 1/value, and 0 where the value is 0 because a pair was left out."""
    return torch.where(value > 0, 1 / value.clamp_min(torch.finfo(value.dtype).tiny), 0)
