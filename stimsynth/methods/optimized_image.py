"""Images that maximize or minimize any objective, such as the response of a unit of a network."""

import os
from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from stimsynth.engine.constrained.descent import Constrained
from stimsynth.engine.lbfgs import LBFGS
from stimsynth.engine.problem import Held, Problem, Terms
from stimsynth.engine.run import Status
from stimsynth.engine.stop import LossConvergence, loss_goal
from stimsynth.methods.base.fingerprints import fingerprint
from stimsynth.methods.base.on_grid import columns
from stimsynth.methods.base.penalties import GivenPenalties, as_penalties
from stimsynth.methods.base.per_item import per_item
from stimsynth.methods.base.quality import DRIFT, OUTSIDE, Quality, judge, share_outside
from stimsynth.methods.base.resumable_run import ResumableRun, check_steps
from stimsynth.methods.base.synthesis import Cast, Move, OptimizedSynthesis
from stimsynth.numerics.numbers import real_number
from stimsynth.validate import validate_allowed_range
from stimsynth.validate.functions import check_score, named_pair
from stimsynth.validate.images import IMAGE_FIRST, checked_tensor, kept_image
from stimuli_store.errors import InputError, WrongType
from stimuli_store.tools.gates import briefly

Score = Callable[[Tensor], Tensor]


class OptimizedImage(OptimizedSynthesis):
    """Synthesize an image that maximizes or minimizes an objective, while other functions keep their values.

    Parameters
    ----------
    initial_image
        Start image, shape (batch, channel, height, width), inside `allowed_range`. Each image of the batch
        is an independent problem.
    objective
        Function of one image (batch of 1) that returns a scalar, such as the response of a network's unit.
    minmax
        ``"max"`` to maximize the objective, ``"min"`` to minimize it.
    range_penalty_lambda
        Weight of the penalty on pixels outside `allowed_range`, for torch optimizers; the default methods
        keep pixels inside exactly.
    allowed_range
        (low, high) for pixels, inclusive.
    held
        Functions of one image that return a scalar, by name. A function keeps its value at the start; a pair
        of function and value is first brought to that value. With held functions the method is descent along
        the constraints; without, it is L-BFGS.
    penalties
        Further terms of the objective, as in `Metamer`; they are always minimized, for either `minmax`.

    Attributes
    ----------
    image
        The result so far.
    objectives
        `objective` at every iterate, shape (steps + 1, batch).
    losses
        The minimized sum: the objective (its negative for ``"max"``) plus penalties.

    Raises
    ------
    InputError
        (a ValueError) if an argument is invalid.

    References
    ----------
    D. Erhan, Y. Bengio, A. Courville & P. Vincent (2009), "Visualizing higher-layer features of a deep
    network", Technical Report 1341, University of Montreal: maximizing the response of a unit under a
    constraint on the image's norm.

    Examples
    --------
    The image of a given mean and contrast that a filter responds to most is the filter itself.

    >>> from stimsynth import OptimizedImage
    >>> filt = torch.tensor([1.0, -2.0, 1.0, 0.0]).double()
    >>> best = OptimizedImage(
    ...     torch.tensor([0.4, 0.5, 0.6, 0.5]).double().view(1, 1, 2, 2),
    ...     lambda image: (image.flatten() * filt).sum(),
    ...     held={"mean": torch.mean, "contrast": torch.var},
    ... )
    >>> best.synthesize()
    >>> shape = best.image.flatten() - best.image.mean()
    >>> round(float(torch.corrcoef(torch.stack([shape, filt]))[0, 1]), 6)
    1.0
    """

    _shared = OptimizedSynthesis._shared | {"minmax": "_minmax", "held": "_held_at"}
    _origins = OptimizedSynthesis._origins | {"held_values": "_targets"}

    def __init__(
        self,
        initial_image: Tensor,
        objective: Score,
        minmax: Literal["max", "min"] = "max",
        range_penalty_lambda: float = 0.1,
        allowed_range: tuple[float, float] = (0, 1),
        *,
        held: Mapping[str, Score | tuple[Score, float]] | None = None,
        penalties: GivenPenalties | None = None,
    ) -> None:
        bounds = validate_allowed_range(allowed_range)
        start = kept_image(initial_image, "an initial_image", bounds=bounds, order=IMAGE_FIRST)
        if not isinstance(minmax, str) or minmax not in ("max", "min"):
            raise InputError(f"minmax must be 'max' or 'min'; not {briefly(minmax)}")
        self._score, self._minmax = objective, minmax
        if not isinstance(held, Mapping | None):
            raise WrongType(f"held must be a dict of functions by name; not {briefly(held)}")
        self._held = {
            name: named_pair(given, ("function", "value"))
            if isinstance(given, tuple)
            else (given, None)
            for name, given in (held or {}).items()
        }
        for function, _ in self._held.values():
            check_score(function, start)
        # Held functions are columns of the history, so they cannot have the names of other columns.
        as_penalties(dict.fromkeys(self._held, torch.sum), start, ["objective_term"])
        added = as_penalties(penalties, start, ["objective_term", *self._held])
        check_score(objective, start, moves=not self._held and not added.functions)
        resumable = ResumableRun(start, default=_default(bool(self._held), bounds))
        super().__init__(resumable, range_penalty_lambda, bounds, added)
        self._held_at = {
            name: None if value is None else real_number(value, f"the value of {name}")
            for name, (_, value) in self._held.items()
        }
        self._targets = self._first_targets()

    def synthesize(
        self,
        max_iter: int = 100,
        optimizer: Any = None,
        scheduler: Any = None,
        store_progress: bool | int = False,
        stop_criterion: float = 1e-4,
        stop_iters_to_check: int = 50,
        *,
        optimizer_kwargs: Mapping[str, Any] | None = None,
        progress_file: str | os.PathLike[str] | None = None,
        stop_loss: float | None = None,
    ) -> None:
        """Synthesize, or continue where the last call stopped.

        Parameters
        ----------
        max_iter, scheduler, store_progress, stop_criterion, stop_iters_to_check
            As in `Metamer.synthesize`.
        optimizer
            As in `Metamer.synthesize`; must be None with held functions.
        optimizer_kwargs, progress_file
            As in `Metamer.synthesize`.
        stop_loss
            An image also stops once its loss is at most this (a row of `losses`: for ``"max"`` the negative
            of the objective); None for no such rule.

        Raises
        ------
        InputError
            If an argument is invalid, or the objective or its gradient became NaN or infinite (the run so
            far is kept).
        """
        max_iter, stop_iters_to_check = check_steps(max_iter, stop_iters_to_check)
        if self._held and optimizer is not None:
            raise InputError(
                "a torch optimizer cannot hold functions; leave out either optimizer or held"
            )
        self._resumable.settle(
            optimizer, scheduler, optimizer_kwargs, store_progress, progress_file
        )
        rule = LossConvergence(criterion=stop_criterion, window=stop_iters_to_check)
        self._resumable.advance(self._problem(), max_iter, rule, goal=loss_goal(stop_loss))

    def objective_function(self, image: Tensor | None = None) -> Tensor:
        """Return the minimized objective, with penalties, of each image of the batch, shape (batch,).

        Parameters
        ----------
        image
            An image to use instead of the current one.
        """
        image = self.image if image is None else image
        if checked_tensor(image, "objective_function").shape != self.image.shape:
            raise InputError(
                f"images must have shape {tuple(self.image.shape)}; not {tuple(image.shape)}"
            )
        problem = self._problem()
        return problem.objective(
            problem.terms(image, torch.arange(len(image), device=image.device))
        )

    def quality(self) -> tuple[Quality, ...]:
        """Return a verdict for each image: objective, drift of the held functions, and a sentence."""
        origin, points = self._resumable.origin, self.image.detach()
        with torch.no_grad():
            before, after = (per_item(self._score, x) for x in (origin, points))
            drifts = {
                f"drift of {name}": _drift(
                    self._targets[name], *(per_item(f, x) for x in (origin, points))
                )
                for name, (f, _) in self._held.items()
            }
        gained = (after > before if self._minmax == "max" else after < before).tolist()
        rows = columns(
            **{
                "objective": after,
                "at the start": before,
                **drifts,
                OUTSIDE: share_outside(points, self._range),
            }
        )
        return tuple(map(self._judged, rows, gained, self.status))

    def _judged(self, figures: Mapping[str, float], gained: bool, status: Status) -> Quality:
        drifts = [name for name in figures if name.startswith("drift of ")]
        findings = {
            f"{name} is {figures[name]:.2%}": not abs(figures[name]) <= DRIFT for name in drifts
        }
        findings["the objective is no better than at the start"] = not gained
        return judge(findings, figures, status, to_the_end=True)

    @property
    def image(self) -> Tensor:
        """The result so far, shape (batch, channel, height, width).

        Before the first call it is the start image, a leaf tensor on which an optimizer can be built.
        """
        return self._resumable.points

    @property
    def initial_image(self) -> Tensor:
        """A copy of the start image, shape (batch, channel, height, width)."""
        return self._resumable.origin.clone()

    @property
    def objectives(self) -> Tensor:
        """The objective at every iterate, shape (steps + 1, batch)."""
        return self._resumable.history("objective_term")

    @property
    def held_values(self) -> Mapping[str, Tensor]:
        """Copies of the target values of the held functions by name, shape (batch,) each."""
        return {name: value.clone() for name, value in self._targets.items()}

    @property
    def saved_image(self) -> Tensor:
        """Stored iterates, shape (kept, batch, channel, height, width), on the CPU."""
        return self._resumable.saved()

    def _problem(self) -> Problem:
        def terms(points: Tensor, items: Tensor) -> Terms:
            return {"objective_term": per_item(self._score, points), **self._penalty_terms(points)}

        def held(points: Tensor, items: Tensor) -> Terms:
            return {name: per_item(f, points) for name, (f, _) in self._held.items()}

        sign = 1.0 if self._minmax == "min" else -1.0
        return Problem(
            terms=terms,
            weights={"objective_term": sign, **self._weights()},
            held=Held(terms=held, targets=self._targets) if self._held else None,
        )

    def _first_targets(self) -> dict[str, Tensor]:
        start = self._resumable.origin
        with torch.no_grad():
            return {
                name: per_item(function, start)
                if value is None
                else start.new_full((len(start),), value)
                for (name, value), (function, _) in zip(
                    self._held_at.items(), self._held.values(), strict=True
                )
            }

    def _functions(self) -> dict[str, Any]:
        one = self._resumable.origin[:1]
        held = {name: fingerprint(f, one, self._range) for name, (f, _) in self._held.items()}
        score = fingerprint(self._score, one, self._range)
        return {**super()._functions(), "objective": score, "held": held}

    def _default_method(self) -> Constrained | LBFGS:
        return _default(bool(self._held), self._range)

    def _move(self, cast: Cast, move: Move) -> None:
        self._score = move(self._score)
        self._held = {name: (move(f), value) for name, (f, value) in self._held.items()}
        self._targets = {name: cast(value) for name, value in self._targets.items()}


def _drift(target: Tensor, before: Tensor, now: Tensor) -> Tensor:
    """Return the error of a held value relative to its target, or to the start if the target is 0."""
    scale = torch.where(target == 0, before, target)
    return (now - target) / torch.where(scale == 0, 1, scale)


def _default(holds: bool, bounds: tuple[float, float]) -> Constrained | LBFGS:
    first = 0.1 * (bounds[1] - bounds[0])
    kind = Constrained if holds else LBFGS
    return kind(bounds=bounds, first_step=first)
