"""Metamers: images a model cannot tell from a target."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from stimsynth.engine.descent import Descent
from stimsynth.engine.lbfgs import LBFGS
from stimsynth.engine.loop import Method, iterate
from stimsynth.engine.problem import Problem, Terms
from stimsynth.engine.run import Run, Status
from stimsynth.engine.stop import LossConvergence
from stimsynth.images import uniform_noise
from stimsynth.losses import mse, penalize_range
from stimsynth.progress import synthesis_bar
from stimsynth.validate import checked_output, validate_allowed_range, validate_input
from stimuli_store.errors import InputError

Loss = Callable[[Tensor, Tensor], Tensor]


class Metamer:
    """Synthesize metamers: change pixels until the model's output matches the target's.

    Parameters
    ----------
    image
        Target, shape (batch, channel, height, width). Every batch item is a problem of its own.
    model
        Any `torch.nn.Module` without learnable parameters (see `stimsynth.remove_grad`).
    loss_function
        Function of two outputs (metamer's, target's) to a scalar. It is called on one item at a time,
        with a batch dimension of 1.
    range_penalty_lambda
        Weight of the penalty on pixels outside `allowed_range`, for torch optimizers. The default
        method keeps pixels inside exactly, so that the penalty is zero.
    allowed_range
        (low, high) for pixels, inclusive.
    initial_image
        Where to start, shaped like `image`; None for uniform noise inside `allowed_range`.
    seed
        Seed of that noise; item i of a batch starts from ``seed + i``.

    Attributes
    ----------
    metamer
        The result so far, shaped like `image`.
    target_representation
        The model's output for the target.
    losses, gradient_norm, pixel_change_norm
        Tensors of shape (steps + 1, batch): row i was measured at iterate i, row 0 at the start.
    saved_metamer
        Iterates kept by `store_progress`, shape (kept, batch, channel, height, width), on the CPU.
    status
        How each item ended, as `stimsynth.engine.run.Status`.

    Raises
    ------
    InputError
        (a ValueError) if image, model or start do not fit together.

    References
    ----------
    J. Portilla & E. P. Simoncelli (2000), "A parametric texture model based on joint statistics of
    complex wavelet coefficients", Int. J. Computer Vision 40(1), 49–71.

    Examples
    --------
    >>> from stimsynth import Gaussian, Metamer, images, remove_grad
    >>> met = Metamer(images.load("camera", size=64), remove_grad(Gaussian(7, std=2.0)), seed=1)
    >>> met.synthesize(max_iter=30)
    >>> bool(met.losses[-1] < 1e-4 * met.losses[0])
    True
    """

    def __init__(
        self,
        image: Tensor,
        model: nn.Module,
        loss_function: Loss = mse,
        range_penalty_lambda: float = 0.1,
        allowed_range: tuple[float, float] = (0, 1),
        initial_image: Tensor | None = None,
        *,
        seed: int = 0,
    ) -> None:
        image = image if isinstance(image, Tensor) else torch.as_tensor(image)
        validate_input(image)
        if range_penalty_lambda < 0:
            raise InputError(f"range_penalty_lambda is 0 or more; not {range_penalty_lambda}")
        self._range = validate_allowed_range(allowed_range)
        self._image = image.detach()
        self._model = model
        self._loss = loss_function
        self._lambda = float(range_penalty_lambda)
        self._target = checked_output(model, self._image)
        self.seed = seed
        self._start = self._first(initial_image).requires_grad_(True)
        self._method: Method | None = None
        self._snapshot_every = 0
        self.run: Run | None = None

    def synthesize(
        self,
        max_iter: int = 100,
        optimizer: Any = None,
        scheduler: Any = None,
        store_progress: bool | int = False,
        stop_criterion: float = 1e-4,
        stop_iters_to_check: int = 50,
    ) -> None:
        """Synthesize, or go on where the last call stopped.

        Parameters
        ----------
        max_iter
            Steps to take now, at most.
        optimizer
            None for batched L-BFGS with pixels kept inside `allowed_range`. Otherwise a torch optimizer
            class (or any function of a list of tensors, such as
            ``lambda x: torch.optim.Adam(x, lr=0.01, amsgrad=True)``), or an optimizer instance built
            on ``[met.metamer]``. Must be None when continuing.
        scheduler
            Function of the optimizer that returns a learning-rate scheduler, or one built on the
            optimizer instance. Must be None when continuing.
        store_progress
            Keep every k-th iterate in `saved_metamer`; True is 1 and False is 0.
        stop_criterion
            An item stops when its objective changed, relative to itself, by less than this …
        stop_iters_to_check
            … over this many steps.

        Raises
        ------
        InputError
            If an argument makes no sense, or the loss became NaN or infinite (all that was done until
            then is kept).
        """
        if max_iter < 0 or stop_iters_to_check < 1:
            raise InputError(
                "synthesize takes max_iter >= 0 and stop_iters_to_check >= 1; not "
                f"{max_iter} and {stop_iters_to_check}"
            )
        self._settle(optimizer, scheduler, int(store_progress))
        assert self._method is not None
        with synthesis_bar(max_iter) as on_step:
            self.run = iterate(
                self._problem(),
                self._method,
                self._start,
                max_steps=max_iter,
                stop=LossConvergence(criterion=stop_criterion, window=stop_iters_to_check),
                resume=self.run,
                snapshot_every=self._snapshot_every,
                on_step=on_step,
            )
        if Status.NOT_FINITE in self.run.status:
            raise InputError(
                "the loss became NaN or infinite; the last finite metamer is kept. Check the model's "
                "gradient at this image, or take a smaller learning rate"
            )

    def objective_function(
        self,
        metamer_representation: Tensor | None = None,
        target_representation: Tensor | None = None,
    ) -> Tensor:
        """Return loss plus weighted range penalty for every item, shape (batch,).

        Parameters
        ----------
        metamer_representation
            A model output to use in place of that of the current metamer.
        target_representation
            A model output to use in place of the target's.
        """
        metamer = self.metamer
        given = self.model(metamer) if metamer_representation is None else metamer_representation
        wanted = self._target if target_representation is None else target_representation
        return per_item(self._loss, given, wanted) + self._lambda * self._penalty(metamer)

    @property
    def image(self) -> Tensor:
        """The target."""
        return self._image

    @property
    def model(self) -> nn.Module:
        """The model."""
        return self._model

    @property
    def target_representation(self) -> Tensor:
        """The model's output for the target: what synthesis has to match."""
        return self._target

    @property
    def metamer(self) -> Tensor:
        """The result so far. Before the first call it is the start, and a leaf an optimizer can take."""
        return self._start if self.run is None else self.run.points

    @property
    def allowed_range(self) -> tuple[float, float]:
        """Range of pixel values."""
        return self._range

    @property
    def range_penalty_lambda(self) -> float:
        """Weight of the range penalty."""
        return self._lambda

    @property
    def losses(self) -> Tensor:
        """Objective at every iterate, shape (steps + 1, batch)."""
        return self._history("objective")

    @property
    def gradient_norm(self) -> Tensor:
        """Norm of the objective's gradient at every iterate (of its free part, at bounds)."""
        return self._history("gradient_norm")

    @property
    def pixel_change_norm(self) -> Tensor:
        """Norm of the change that led to every iterate."""
        return self._history("pixel_change_norm")

    @property
    def saved_metamer(self) -> Tensor:
        """Iterates kept by `store_progress`."""
        kept = self.run.snapshots if self.run else {}
        return torch.stack(list(kept.values())) if kept else torch.empty(0, *self._image.shape)

    @property
    def store_progress(self) -> int:
        """Every how many steps an iterate is kept; 0 for never."""
        return self._snapshot_every

    @property
    def status(self) -> tuple[Status, ...]:
        """How each item ended."""
        return self.run.status if self.run else (Status.RUNNING,) * len(self._image)

    @property
    def optimizer(self) -> Any:
        """The method: the torch optimizer once synthesis began with one, else the L-BFGS record."""
        return getattr(self.run.state, "optimizer", self._method) if self.run else None

    def _first(self, initial_image: Tensor | None) -> Tensor:
        if initial_image is None:
            one = (1, *self._image.shape[1:])
            noise = [
                uniform_noise(one, self.seed + i, self._range) for i in range(len(self._image))
            ]
            return torch.cat(noise).to(self._image)
        if initial_image.shape != self._image.shape:
            raise InputError(
                f"initial_image has shape {tuple(initial_image.shape)} and the image "
                f"{tuple(self._image.shape)}; they must be the same"
            )
        start = initial_image.detach().to(self._image).clone()
        validate_input(start)
        return start

    def _problem(self) -> Problem:
        def terms(points: Tensor, items: Tensor) -> Terms:
            return {
                "loss": per_item(self._loss, self._model(points), self._target[items]),
                "penalty": self._penalty(points),
            }

        return Problem(terms=terms, weights={"loss": 1.0, "penalty": self._lambda})

    def _penalty(self, points: Tensor) -> Tensor:
        return per_item(lambda x, _: penalize_range(x, self._range), points, points)

    def _settle(self, optimizer: Any, scheduler: Any, snapshot_every: int) -> None:
        """Choose the method on the first call; on later ones see that nothing was changed."""
        if self._method is None:
            self._method = _method(optimizer, scheduler, self._start, self._range)
            self._snapshot_every = snapshot_every
            return
        if optimizer is not None or scheduler is not None:
            raise InputError("synthesis goes on with its optimizer and scheduler; leave both None")
        if snapshot_every != self._snapshot_every:
            raise InputError(
                f"store_progress was {self._snapshot_every} when synthesis began and must stay so; "
                f"not {snapshot_every}"
            )

    def _history(self, name: str) -> Tensor:
        if self.run is None:
            return torch.empty(0, len(self._image))
        return self.run.history[name]


def per_item(function: Loss, given: Tensor, wanted: Tensor) -> Tensor:
    """Return a scalar function of two batches for every item, shape (batch,).

    The function sees each item with a batch dimension of 1. It is vectorized where torch can; a function
    that branches on its values is called once for each item.
    """
    try:
        return torch.func.vmap(lambda a, b: function(a[None], b[None]))(given, wanted)
    except RuntimeError:
        values = [function(a[None], b[None]) for a, b in zip(given, wanted, strict=True)]
        return torch.stack(values)


def _method(optimizer: Any, scheduler: Any, start: Tensor, bounds: tuple[float, float]) -> Method:
    if optimizer is None:
        if scheduler is not None:
            raise InputError("a scheduler needs an optimizer; give both, or neither for L-BFGS")
        return LBFGS(bounds=bounds)
    factory = optimizer
    if isinstance(optimizer, torch.optim.Optimizer):
        held = [p for group in optimizer.param_groups for p in group["params"]]
        if len(held) != 1 or held[0] is not start:
            raise InputError("build the optimizer on [metamer.metamer], and on nothing else")
        factory = lambda _: optimizer  # noqa: E731
    made = (
        scheduler if scheduler is None or not hasattr(scheduler, "step") else (lambda _: scheduler)
    )
    return Descent(optimizer=factory, scheduler=made)
