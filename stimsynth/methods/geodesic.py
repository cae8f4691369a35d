"""Geodesics: the shortest sequences of images between two images, as measured by a model."""

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from stimsynth.engine.descent import Descent
from stimsynth.engine.problem import Problem, Terms
from stimsynth.engine.run import Status
from stimsynth.engine.stop import PixelChangeConvergence, loss_goal
from stimsynth.methods.base.penalties import GivenPenalties, Penalty, as_penalties
from stimsynth.methods.base.per_item import per_item
from stimsynth.methods.base.quality import OUTSIDE, Quality, judge, share_outside
from stimsynth.methods.base.resumable_run import ResumableRun, check_steps
from stimsynth.methods.base.synthesis import Cast, Move, OptimizedSynthesis
from stimsynth.methods.paths import deviations, jerkiness, residual, step_energies
from stimsynth.numerics.generators import generator_for
from stimsynth.seeding import seed_of_start
from stimsynth.transforms.sequences import as_vectors, make_straight_line, sample_brownian_bridge
from stimsynth.validate import checked_output, validate_allowed_range
from stimsynth.validate.functions import function_name
from stimsynth.validate.images import IMAGE_FIRST, checked_tensor, kept_image
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_text, briefly
from stimuli_store.tools.whole import whole

CHANGE_CONVERGED = "Pixel change norm has converged, stopping synthesis"
SEEDS_ADAM = partial(torch.optim.Adam, lr=0.001, amsgrad=True)
#: Largest `residual` of a geodesic; above it, a shorter sequence is close by.
LARGEST_RESIDUAL = 0.05
#: Measurements of each step, which are columns of the history.
_COLUMNS = ("step energy", "along line", "from line")


class Geodesic(OptimizedSynthesis):
    r"""Synthesize geodesics: sequences between two images along which a model's output changes least.

    The frames between the two images minimize the path energy
    :math:`\frac{1}{n} \sum_t \lVert f(x_{t+1}) - f(x_t) \rVert_2^2` plus the range penalty. By the
    Cauchy-Schwarz inequality the energy is at least :math:`\lVert f(x_n) - f(x_0) \rVert_2^2 / n^2`. It
    reaches this bound if the outputs move on a straight line in equal steps: see `bound_ratio`.

    This method is exploratory. Its objective is not convex, geodesics need not be unique, and only the
    shortest one is informative. Use several starts (`n_starts`), compare them, and look at `quality`.

    Parameters
    ----------
    image_a, image_b
        First and last image, shape (1, channel, height, width), inside `allowed_range`.
    model
        Any `torch.nn.Module` without learnable parameters (see `stimsynth.remove_grad`).
    n_steps
        Number of steps from the first to the last image, 2 or more; there are ``n_steps - 1`` frames between.
    initial_sequence
        Start sequence: ``"straight"`` for a cross-fade of the pixels, ``"bridge"`` for a Brownian bridge
        between the two images (see `stimsynth.transforms.sample_brownian_bridge`).
    range_penalty_lambda
        Weight of the penalty on pixels outside `allowed_range`.
    allowed_range
        (low, high) for pixels, inclusive.
    n_starts
        Number of sequences to synthesize at once, each from its own bridge.
    penalties
        Further terms of the objective, as in `Metamer`: functions of one frame, summed over all frames.
    seed
        Seed of the bridges, as in `Metamer`.

    Attributes
    ----------
    geodesic
        The sequence so far, shape (n_steps + 1, channel, height, width); the best one of several. The first
        and last frames equal the two images exactly.
    geodesics
        All sequences, shape (n_starts, n_steps + 1, channel, height, width).
    pixelfade
        Cross-fade of the pixels, for comparison, shaped like `geodesic`.
    step_energy, dev_from_line
        Step energies of the best sequence and its deviation from a straight line, for the iterates so far,
        shapes (kept, n_steps) and (kept, n_steps + 1, 2).
    losses, gradient_norm, pixel_change_norm
        Tensors of shape (steps + 1, n_starts): row i was measured at iterate i, row 0 at the start.
    status
        Status of each start, a `stimsynth.engine.run.Status`.

    Raises
    ------
    InputError
        (a ValueError) if images and model do not fit together, or an argument is invalid.

    References
    ----------
    O. J. Hénaff & E. P. Simoncelli (2016), "Geodesics of learned representations", Int. Conf. on Learning
    Representations.

    Examples
    --------
    >>> from stimsynth import Gaussian, Geodesic, images, remove_grad
    >>> ends = images.load("camera", size=32), images.load("grass", size=32)
    >>> geo = Geodesic(*ends, remove_grad(Gaussian(5, std=1.0)), n_steps=5, initial_sequence="bridge")
    >>> geo.synthesize(max_iter=200, stop_criterion=1e-3)
    >>> geo.geodesic.shape, bool(geo.losses[-1] < geo.losses[0])
    (torch.Size([6, 1, 32, 32]), True)
    """

    _shared = OptimizedSynthesis._shared | {
        "image_a and image_b": "_ends",
        "model's output": "_seen",
        "n_steps": "n_steps",
    }
    _origins = OptimizedSynthesis._origins | {"initial_sequence": "initial_sequence"}

    def __init__(
        self,
        image_a: Tensor,
        image_b: Tensor,
        model: nn.Module,
        n_steps: int = 10,
        initial_sequence: Literal["straight", "bridge"] = "straight",
        range_penalty_lambda: float = 0.1,
        allowed_range: tuple[float, float] = (0, 1),
        *,
        n_starts: int = 1,
        penalties: GivenPenalties = (),
        seed: int | None = None,
    ) -> None:
        bounds = validate_allowed_range(allowed_range)
        self._ends = _as_ends(image_a, image_b, bounds)
        # With one step there is no frame between the ends.
        self.n_steps = whole(n_steps, "n_steps", 2)
        self._model = model
        self._seed = seed_of_start(
            seed, given=a_text(initial_sequence, "initial_sequence") != "bridge"
        )
        self.initial_sequence = initial_sequence
        starts = self._starts(n_starts)
        between = starts[0, 1:-1]
        self._seen = as_vectors(checked_output(model, self._ends, otherwise=between))
        resumable = ResumableRun(
            starts[:, 1:-1].contiguous(), default=Descent(optimizer=SEEDS_ADAM)
        )
        columns = [f"{name} {i}" for name in _COLUMNS for i in range(self.n_steps + 1)]
        added = as_penalties(penalties, between, ["energy", *columns])
        functions = tuple(map(_Summed, added.functions))
        super().__init__(
            resumable, range_penalty_lambda, bounds, replace(added, functions=functions)
        )

    @property
    def image_a(self) -> Tensor:
        """A copy of the first image of the sequence, shape (1, channel, height, width)."""
        return self._ends[:1].clone()

    @property
    def image_b(self) -> Tensor:
        """A copy of the last image of the sequence, shape (1, channel, height, width)."""
        return self._ends[1:].clone()

    @property
    def model(self) -> nn.Module:
        """The model."""
        return self._model

    @property
    def pixelfade(self) -> Tensor:
        """The cross-fade of pixels, shape (n_steps + 1, channel, height, width)."""
        return make_straight_line(self.image_a, self.image_b, self.n_steps)

    @property
    def interior(self) -> Tensor:
        """The frames between the ends, shape (n_starts, n_steps - 1, channel, height, width).

        Before the first call these are the start frames, a leaf tensor on which an optimizer can be built.
        """
        return self._resumable.points

    @property
    def geodesics(self) -> Tensor:
        """The sequences so far, shape (n_starts, n_steps + 1, channel, height, width)."""
        return self._with_ends(self.interior.detach())

    @property
    def best(self) -> int:
        """Index of the start with the lowest objective so far."""
        if self.run is None:
            return 0
        return int(self.losses[-1].nan_to_num(nan=torch.inf).argmin())

    @property
    def geodesic(self) -> Tensor:
        """The best sequence so far, shape (n_steps + 1, channel, height, width)."""
        return self.geodesics[self.best]

    @property
    def saved_geodesic(self) -> Tensor:
        """The best sequence at the stored iterates, shape (kept, n_steps + 1, …), on the CPU."""
        return self._with_ends(self._resumable.saved()[:, self.best])

    @property
    def step_energy(self) -> Tensor:
        """Squared length of every step of the best sequence in the model's outputs, shape (kept, n_steps).

        With ``store_progress=k`` there is a row for every k-th iterate, from the start on; without it there
        is a row for every iterate.
        """
        return self._kept("step energy", self.n_steps)

    @property
    def dev_from_line(self) -> Tensor:
        """Deviation of the best sequence's outputs from a straight line, (kept, n_steps + 1, 2).

        For the iterates of `step_energy`, the position along the line between the ends and the distance from
        it, in units of the line's length. NaN if the model's outputs for both ends are equal.
        """
        columns = [self._kept(name, self.n_steps + 1) for name in ("along line", "from line")]
        return torch.stack(columns, dim=-1)

    @property
    def energy_bound(self) -> Tensor:
        """Lower bound of the path energy of any sequence between the two images, a scalar."""
        return (self._seen[1] - self._seen[0]).square().sum() / self.n_steps**2

    @property
    def bound_ratio(self) -> Tensor:
        """Path energy of every sequence in units of `energy_bound`, shape (n_starts,).

        The ratio is 1 for a straight line in equal steps, and larger for all other sequences. If no straight
        line lies in the set of possible outputs, the ratio of a true geodesic is above 1 too.
        """
        with torch.no_grad():
            return step_energies(self._paths(self.interior)).mean(dim=1) / self.energy_bound

    def objective_function(self, geodesic: Tensor | None = None) -> Tensor:
        """Return path energy plus weighted penalties, a scalar.

        Parameters
        ----------
        geodesic
            A sequence of shape (frames, channel, height, width), ends included; None for the best one.

        Raises
        ------
        InputError
            If the sequence has another shape.
        """
        sequence = self.geodesic if geodesic is None else self._as_sequence(geodesic, 2)
        energy = step_energies(as_vectors(self._model(sequence))).mean()
        added = self._penalty_terms(sequence[None])
        return energy + sum(weight * added[name][0] for name, weight in self._weights().items())

    def calculate_jerkiness(self, geodesic: Tensor | None = None) -> Tensor:
        r"""Return the squared gradient norm of the path's bend at each inner frame, shape (frames - 2,).

        Jerkiness is :math:`\lVert J(x_t)^T a_t / \lVert a_t \rVert \rVert_2^2`, where J is the model's
        Jacobian and :math:`a_t` the second difference of its outputs. It measures how strongly a change of
        pixels can move the outputs in the direction in which they bend. It is zero for a geodesic, and at
        frames where the outputs do not bend (see `stimsynth.methods.paths.bends`).

        Parameters
        ----------
        geodesic
            A sequence of shape (frames, channel, height, width) with three frames or more, ends included;
            None for the best one.

        Raises
        ------
        InputError
            If the sequence has another shape.
        """
        sequence = self.geodesic if geodesic is None else self._as_sequence(geodesic, 3).detach()
        return jerkiness(self._model, sequence)

    def synthesize(
        self,
        max_iter: int = 1000,
        optimizer: Any = None,
        store_progress: bool | int = False,
        stop_criterion: float | None = None,
        stop_iters_to_check: int = 50,
        *,
        optimizer_kwargs: Mapping[str, Any] | None = None,
        scheduler: Any = None,
        progress_file: str | os.PathLike[str] | None = None,
        stop_loss: float | None = None,
    ) -> None:
        """Synthesize, or continue where the last call stopped.

        Warns "Pixel change norm has converged, stopping synthesis" when all starts have converged.

        Parameters
        ----------
        max_iter
            Largest number of steps to take in this call.
        optimizer
            None for Adam with ``lr=0.001, amsgrad=True``. Otherwise as for `stimsynth.Metamer`: a torch
            optimizer class or a function that makes an optimizer, an optimizer built on ``[geo.interior]``,
            or a method of the engine, such as ``LBFGS(bounds=(0, 1))``, which keeps pixels inside exactly.
            Must be None when continuing.
        store_progress
            Store every k-th iterate in `saved_geodesic`, and only these in `step_energy` and
            `dev_from_line`; True is 1 and False is 0.
        stop_criterion
            A start stops when each of its last steps changed the frames by less than this (Euclidean norm).
            None for 1.6e-4 of the norm of `pixelfade` (the golden ratio, over 10⁴), which is printed.
        stop_iters_to_check
            Number of these last steps.
        optimizer_kwargs
            Arguments for an optimizer class.
        scheduler
            Function of the optimizer that returns a learning-rate scheduler. Must be None when continuing.
        progress_file
            HDF5 file for the iterates of `store_progress`, written during the run; None to keep them in
            memory.
        stop_loss
            A start also stops once its loss (a row of `losses`) is at most this; None for no such rule.

        Raises
        ------
        InputError
            If an argument is invalid, or the loss or its gradient became NaN or infinite (the run so far is
            kept).
        """
        max_iter, stop_iters_to_check = check_steps(max_iter, stop_iters_to_check)
        self._resumable.settle(
            optimizer, scheduler, optimizer_kwargs, store_progress, progress_file
        )
        if stop_criterion is None:
            stop_criterion = float(self.pixelfade.norm()) / 1e4 * (1 + 5**0.5) / 2
            print(f"Stop criterion for pixel_change_norm = {stop_criterion:.5e}")  # noqa: T201
        rule = PixelChangeConvergence(criterion=stop_criterion, window=stop_iters_to_check)
        problem = Problem(terms=self._terms, weights={"energy": 1.0, **self._weights()})
        self._resumable.advance(
            problem, max_iter, rule, goal=loss_goal(stop_loss), converged=CHANGE_CONVERGED
        )

    def quality(self) -> tuple[Quality, ...]:
        """Return a verdict for each start, whether its sequence is a geodesic: numbers and a sentence.

        The numbers are: the path energy relative to its bound and to the path energy of the pixelfade; the
        spread of the step energies relative to their mean; the largest distance from the line between the
        ends; the largest `stimsynth.methods.paths.residual`; and the share of pixels outside the allowed
        range. None of them can exclude that a shorter sequence exists elsewhere.
        """
        outside = share_outside(self.geodesics, self._range)
        return tuple(
            self._judged(*row) for row in zip(self.geodesics, outside, self.status, strict=True)
        )

    def _judged(self, sequence: Tensor, outside: Tensor, status: Status) -> Quality:
        with torch.no_grad():
            path, faded = (as_vectors(self._model(x)) for x in (sequence, self.pixelfade))
        energy = step_energies(path)
        numbers = {
            "bound ratio": energy.mean() / self.energy_bound,
            "of pixelfade": energy.mean() / step_energies(faded).mean(),
            "uneven steps": (energy.amax() - energy.amin()) / energy.mean(),
            "off the line": deviations(path[None])[0, :, 1].amax(),
            "residual": residual(self._model, sequence, self._range).amax(),
            OUTSIDE: outside,
        }
        figures = {name: float(value) for name, value in numbers.items()}
        findings = {
            "the model's output is not finite": not bool(torch.isfinite(path).all()),
            f"its energy is {figures['of pixelfade']:.3g} times the pixelfade's; take more steps, or another "
            "start": figures["of pixelfade"] > 1.001,
            f"a shorter sequence is close by (residual {figures['residual']:.0%}); take more steps, or lower "
            "stop_criterion": figures["residual"] > LARGEST_RESIDUAL,
        }
        return judge(findings, figures, status)

    def _terms(self, points: Tensor, items: Tensor) -> Terms:
        """Return energy and penalties of sequences (n, …), and the measurements of each step by number."""
        paths = self._paths(points)
        energies = step_energies(paths)
        along, away = deviations(paths.detach()).unbind(-1)
        columns = zip(_COLUMNS, (energies.detach(), along, away), strict=True)
        return {
            "energy": energies.mean(dim=1),
            **self._penalty_terms(self._with_ends(points)),
            **{f"{name} {i}": x for name, xs in columns for i, x in enumerate(xs.unbind(1))},
        }

    def _paths(self, interiors: Tensor) -> Tensor:
        """Return the model's outputs for whole sequences, shape (n, n_steps + 1, values)."""
        outputs = as_vectors(self._model(interiors.flatten(0, 1)))
        return _enclosed(outputs.unflatten(0, interiors.shape[:2]), self._seen)

    def _with_ends(self, interiors: Tensor) -> Tensor:
        return _enclosed(interiors, self._ends.to(interiors))

    def _kept(self, name: str, count: int) -> Tensor:
        columns = [self._resumable.history(f"{name} {i}")[:, self.best] for i in range(count)]
        return torch.stack(columns, dim=1)[:: self.store_progress or 1]

    def _starts(self, n_starts: int) -> Tensor:
        """Return the start sequences, shape (n_starts, n_steps + 1, …)."""
        n_starts = whole(n_starts, "n_starts", 1)
        if self.initial_sequence == "bridge":
            return torch.stack([self._bridge(i) for i in range(n_starts)])
        if self.initial_sequence != "straight":
            raise InputError(
                f"initial_sequence must be 'straight' or 'bridge'; not {briefly(self.initial_sequence)}"
            )
        if n_starts != 1:
            raise InputError(
                f"n_starts={n_starts} needs initial_sequence='bridge', as all straight starts are equal"
            )
        return self.pixelfade[None]

    def _bridge(self, number: int) -> Tensor:
        generator = generator_for("bridge", self._seed, number)
        return sample_brownian_bridge(self.image_a, self.image_b, self.n_steps, generator=generator)

    def _as_sequence(self, frames: Tensor, least: int) -> Tensor:
        checked_tensor(frames, "a geodesic", "(frames, channel, height, width)")
        if frames.shape[1:] != self._ends.shape[1:] or len(frames) < least:
            raise InputError(
                f"a sequence must have shape (frames, {', '.join(map(str, self._ends.shape[1:]))}) with "
                f"{least} frames or more; not {tuple(frames.shape)}"
            )
        return frames

    def _move(self, cast: Cast, move: Move) -> None:
        self._model = move(self._model)
        self._ends, self._seen = cast(self._ends), cast(self._seen)


def _as_ends(image_a: Tensor, image_b: Tensor, bounds: tuple[float, float]) -> Tensor:
    image_a = kept_image(image_a, "image_a", bounds=bounds, one=True, order=IMAGE_FIRST)
    image_b = kept_image(
        image_b, "image_b", bounds=bounds, one=True, like=image_a, order=IMAGE_FIRST
    )
    if image_a.shape != image_b.shape:
        raise InputError(
            f"image_a and image_b must have the same shape; not {tuple(image_a.shape)} and "
            f"{tuple(image_b.shape)}"
        )
    ends = torch.cat([image_a, image_b])
    if torch.equal(ends[0], ends[1]):
        raise InputError("image_a and image_b are equal; give two different images")
    return ends


def _enclosed(interiors: Tensor, ends: Tensor) -> Tensor:
    """Return sequences (n, t, …) with the first of `ends` (2, …) put before each and the second after it."""
    first, last = (end.expand(len(interiors), 1, *end.shape) for end in ends)
    return torch.cat([first, interiors, last], dim=1)


class _Summed(nn.Module):
    """The sum of a function of one image over the frames of a sequence (1, frames, …)."""

    def __init__(self, function: Penalty) -> None:
        super().__init__()
        self.function, self.__name__ = function, function_name(function)

    def forward(self, sequence: Tensor) -> Tensor:
        return per_item(self.function, sequence[0]).sum()
