"""Problems with held terms in relative numbers: residuals divided by a scale, points as flat rows."""

from dataclasses import dataclass

import torch
from torch import Tensor

from stimsynth.engine.constrained.tangent import Slopes
from stimsynth.engine.problem import Held, Problem, Terms, evaluate_held, held_values
from stimuli_store.errors import InputError


@dataclass(frozen=True, kw_only=True)
class ScaledProblem:
    """A problem whose held terms are given as residuals to their targets, divided by `scale` (N, m).

    `shape` is the shape of one problem's points; the functions take and return flat rows.
    """

    problem: Problem
    held: Held
    shape: torch.Size
    scale: Tensor

    def at(self, flat: Tensor, items: Tensor) -> "ScaledEvaluation":
        """Return objective, residuals and gradients at points (n, size) of problems `items` (n,)."""
        found = evaluate_held(self.problem, self.held, flat.view(-1, *self.shape), items)
        gradient = found.gradient.flatten(1)
        held = found.slopes.flatten(2) / self.scale[items].unsqueeze(2)
        undefined = ~(torch.isfinite(gradient) & torch.isfinite(held).all(dim=1))
        # In restoration a value without gradient may stay where it is: 0 is correct there and keeps sums
        # finite. As a descent direction it would be wrong, so `undefined` marks these values.
        return ScaledEvaluation(
            objective=found.objective,
            terms=found.terms,
            residual=self._residual(found.held, items),
            slopes=Slopes(
                gradient=torch.where(undefined, 0, gradient),
                held=torch.where(undefined.unsqueeze(1), 0, held),
            ),
            undefined=undefined,
        )

    def residual(self, flat: Tensor, items: Tensor) -> Tensor:
        """Return the scaled residuals of the held terms at points, shape (n, m), without gradients."""
        return self._residual(held_values(self.held, flat.view(-1, *self.shape), items), items)

    def slopes(self, flat: Tensor, items: Tensor) -> Slopes:
        """Return the gradients of the objective and of the held terms at points."""
        return self.at(flat, items).slopes

    def _residual(self, values: Tensor, items: Tensor) -> Tensor:
        return (values - _targets(self.held, values)[items]) / self.scale[items]


@dataclass(frozen=True, kw_only=True)
class ScaledEvaluation:
    """Objective (n,), terms (n,) each, residuals (n, m) and gradients at n points.

    `undefined` (n, size) marks values whose gradient is NaN or infinite; `slopes` holds 0 there.
    """

    objective: Tensor
    terms: Terms
    residual: Tensor
    slopes: Slopes
    undefined: Tensor

    def copy(self) -> "ScaledEvaluation":
        """Return a copy that can be written to."""
        return ScaledEvaluation(
            objective=self.objective.clone(),
            terms={name: value.clone() for name, value in self.terms.items()},
            residual=self.residual.clone(),
            slopes=Slopes(gradient=self.slopes.gradient.clone(), held=self.slopes.held.clone()),
            undefined=self.undefined.clone(),
        )

    def put(self, rows: Tensor, other: "ScaledEvaluation", chosen: Tensor) -> None:
        """Write the entries `chosen` (a mask) of another evaluation into `rows` of this one."""
        self.objective[rows] = other.objective[chosen]
        self.residual[rows] = other.residual[chosen]
        self.slopes.gradient[rows] = other.slopes.gradient[chosen]
        self.slopes.held[rows] = other.slopes.held[chosen]
        self.undefined[rows] = other.undefined[chosen]
        for name, value in other.terms.items():
            self.terms[name][rows] = value[chosen]


def held_of(problem: Problem) -> Held:
    """Return the held terms of a problem; raise InputError if it has none."""
    if problem.held is None or not problem.held.targets:
        raise InputError(
            "constrained descent needs held terms with targets; without any, use LBFGS"
        )
    return problem.held


def scaled_problem(problem: Problem, start: Tensor) -> ScaledProblem:
    """Return a problem in relative numbers: the unit of a held term is its target, or its value at the start.

    Raises
    ------
    InputError
        If the problem has no held terms, or there is not one finite target per problem.
    """
    held = held_of(problem)
    for name, target in held.targets.items():
        if target.shape != (len(start),) or not bool(torch.isfinite(target).all()):
            raise InputError(
                f"the held term {name} needs a finite target for each of {len(start)} problems; not {target}"
            )
    values = held_values(held, start, torch.arange(len(start), device=start.device))
    targets = _targets(held, values)
    scale = torch.where(targets == 0, values, targets).abs()
    return ScaledProblem(
        problem=problem,
        held=held,
        shape=start.shape[1:],
        scale=torch.where(torch.isfinite(scale) & (scale > 0), scale, 1),
    )


def _targets(held: Held, like: Tensor) -> Tensor:
    return torch.stack(list(held.targets.values()), dim=1).to(like)
