"""Metamers from coarse to fine: the statistics of one scale after the other are matched."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from stimsynth.engine.loop import Method
from stimsynth.engine.staged import OnLastStage, Staged, StagedState, Stages
from stimsynth.engine.stop import LossConvergence, loss_goal
from stimsynth.losses import mse
from stimsynth.methods.base.penalties import GivenPenalties
from stimsynth.methods.base.resumable_run import check_steps
from stimsynth.methods.base.synthesis import Cast, Move
from stimsynth.methods.metamer import Loss, MetamerObjective
from stimsynth.numerics.numbers import real_number
from stimsynth.validate.models import check_scales
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import briefly
from stimuli_store.tools.whole import whole

Scale = Any
ALL = "all"


@dataclass(frozen=True, kw_only=True)
class ScaleProgress:
    """Progress of one image of the batch through the scales: finished ones and those to come.

    Attributes
    ----------
    scales
        The current scale, then those to come; the last entry is ``"all"``.
    finished
        Finished scales, in order.
    timing
        ``[first step, step after the last]`` by scale; one number for the current scale, none before it.
    """

    scales: tuple[Scale, ...]
    finished: tuple[Scale, ...]
    timing: Mapping[Scale, list[int]]


class MetamerCTF(MetamerObjective):
    """Synthesize metamers from coarse to fine.

    The statistics of the coarsest scale are matched first. Then finer scales are added (or matched alone),
    and all scales together come last. Only the current scales are computed. For texture statistics this
    finds better solutions than matching all scales at once.

    Parameters
    ----------
    image, model, loss_function, range_penalty_lambda, allowed_range, initial_image
        As in `Metamer`. The model needs an attribute ``scales``, from coarse to fine, and is called with
        ``scales=[…]``.
    coarse_to_fine
        ``"together"``: the coarsest scale, and one finer scale more in each stage; or ``"separate"``: each
        scale alone. In both cases all scales together come last.
    target_representation, penalties, seed
        As in `Metamer`. The model's ``remove_scales`` reduces a representation to the current scales.

    Attributes
    ----------
    scales, scales_finished, scales_timing
        Progress of a single image; for an image of a batch, see `progress_of`.
    scales_loss
        Loss of the scales matched at every iterate, shape (steps + 1, batch).
    losses
        The same with penalties: the objective that was minimized at every iterate.

    Raises
    ------
    InputError
        (a ValueError) if arguments do not fit together.
    LacksAttribute, WrongType
        If the model has no ``scales``, or cannot be called with them.

    References
    ----------
    J. Portilla & E. P. Simoncelli (2000), Int. J. Computer Vision 40(1), 49–71, section 3.3, where
    statistics are adjusted from coarse to fine.

    Examples
    --------
    >>> from stimsynth import MetamerCTF, PortillaSimoncelli, images
    >>> model = PortillaSimoncelli((64, 64), n_scales=2)
    >>> met = MetamerCTF(images.load("grass", size=64), model)
    >>> met.synthesize(max_iter=12, change_scale_criterion=None, ctf_iters_to_check=5)
    >>> met.scales_timing["residual_lowpass"], met.scales_finished
    ([5, 10], ('pixel_statistics', 'residual_lowpass'))
    """

    _shared = MetamerObjective._shared | {"coarse_to_fine": "_coarse_to_fine"}

    def __init__(
        self,
        image: Tensor | None,
        model: nn.Module,
        loss_function: Loss = mse,
        range_penalty_lambda: float = 0.1,
        allowed_range: tuple[float, float] = (0, 1),
        initial_image: Tensor | None = None,
        coarse_to_fine: str = "together",
        *,
        target_representation: Tensor | None = None,
        penalties: GivenPenalties = (),
        seed: int | None = None,
    ) -> None:
        if not isinstance(coarse_to_fine, str) or coarse_to_fine not in ("together", "separate"):
            raise InputError(
                f'coarse_to_fine must be "together" or "separate"; not {briefly(coarse_to_fine)}'
            )
        super().__init__(
            image,
            model,
            loss_function,
            range_penalty_lambda,
            allowed_range,
            initial_image,
            target_representation=target_representation,
            penalties=penalties,
            seed=seed,
        )
        check_scales(model)
        self._resumable.wrap = partial(_in_stages, 1e-2, 50)
        self._coarse_to_fine = coarse_to_fine
        self._derive()

    @property
    def coarse_to_fine(self) -> str:
        """Order of scales: ``"together"`` adds each to the coarser ones, ``"separate"`` takes each alone."""
        return self._coarse_to_fine

    @property
    def scales(self) -> tuple[Scale, ...]:
        """The current scale, then those to come; the last entry is ``"all"``."""
        return self._single().scales

    @property
    def scales_finished(self) -> tuple[Scale, ...]:
        """Scales that are finished, in order."""
        return self._single().finished

    @property
    def scales_timing(self) -> Mapping[Scale, list[int]]:
        """First step of each scale, and the step after its last, as lists by scale."""
        return self._single().timing

    @property
    def scales_loss(self) -> Tensor:
        """Loss of the scales matched at every iterate, shape (steps + 1, batch)."""
        return self._resumable.history("loss")

    def progress_of(self, item: int) -> ScaleProgress:
        """Return the progress through the scales of image number `item` of the batch.

        Examples
        --------
        >>> from stimsynth import MetamerCTF, PortillaSimoncelli, images
        >>> met = MetamerCTF(images.load("grass", size=64), PortillaSimoncelli((64, 64), n_scales=2))
        >>> met.progress_of(0).scales
        ('pixel_statistics', 'residual_lowpass', 1, 0, 'all')
        """
        names, item = self._stage_names(), whole(item, "item")
        if self._resumable.run is None or self._resumable.run.state is None:
            began, stage = [0] + [-1] * (len(names) - 1), 0
        else:
            state: StagedState = self._resumable.run.state
            began, stage = state.began[item].tolist(), int(state.stage[item])
        ends = [*began[1:], -1]
        timing = {
            name: [step for step in (first, end) if step >= 0]
            for name, first, end in zip(names, began, ends, strict=True)
        }
        return ScaleProgress(
            scales=tuple(names[stage:]), finished=tuple(names[:stage]), timing=timing
        )

    def synthesize(
        self,
        max_iter: int = 100,
        optimizer: Any = None,
        scheduler: Any = None,
        store_progress: bool | int = False,
        stop_criterion: float = 1e-4,
        stop_iters_to_check: int = 50,
        change_scale_criterion: float | None = 1e-2,
        ctf_iters_to_check: int = 50,
        *,
        optimizer_kwargs: Mapping[str, Any] | None = None,
        progress_file: str | os.PathLike[str] | None = None,
        stop_loss: float | None = None,
    ) -> None:
        """Synthesize, or continue where the last call stopped, also in the middle of a scale.

        Parameters
        ----------
        max_iter, optimizer, scheduler, store_progress, stop_criterion, stop_iters_to_check
            As in `Metamer.synthesize`. An image stops only at the last stage, with all scales, after at
            least `ctf_iters_to_check` steps of that stage.
        change_scale_criterion
            The next scale begins when the loss of the current one changed over `ctf_iters_to_check` steps by
            less than this share of its loss at the start of the scale. None: always after that many steps.
        ctf_iters_to_check
            Number of steps.
        optimizer_kwargs, progress_file
            As in `Metamer.synthesize`.
        stop_loss
            As in `Metamer.synthesize`. It applies to the last stage, from its first step.

        Raises
        ------
        InputError
            If an argument is invalid, or the loss or its gradient became NaN or infinite (the run so far is
            kept).
        """
        max_iter, stop_iters_to_check = check_steps(max_iter, stop_iters_to_check)
        if change_scale_criterion is not None:
            change_scale_criterion = real_number(
                change_scale_criterion, "change_scale_criterion, if not None,", 0, infinite=True
            )
        ctf_iters_to_check = whole(ctf_iters_to_check, "ctf_iters_to_check", 1)
        self._resumable.wrap = partial(
            _in_stages,
            change_scale_criterion,
            ctf_iters_to_check,
            before=self._resumable.steps_before,
        )
        self._resumable.settle(
            optimizer, scheduler, optimizer_kwargs, store_progress, progress_file
        )
        converged = LossConvergence(criterion=stop_criterion, window=stop_iters_to_check)
        stop = OnLastStage(rule=converged, at_least=ctf_iters_to_check)
        reached = loss_goal(stop_loss)
        goal = None if reached is None else OnLastStage(rule=reached, at_least=1)
        self._resumable.advance(self._stages(), max_iter, stop, self._bar_fields, goal=goal)

    def _stages(self) -> Stages:
        parts = [
            self._terms(_on(self._model, subset), goal)
            for subset, goal in zip(self._subsets(), self._goals, strict=True)
        ]
        return Stages(terms=parts[-1].terms, weights=parts[-1].weights, parts=parts)

    def _subsets(self) -> list[list[Scale] | None]:
        """Return the scales of each stage; None for all."""
        scales = list(self._model.scales)  # type: ignore[arg-type]
        if self._coarse_to_fine == "together":
            return [*(scales[: k + 1] for k in range(len(scales) - 1)), None]
        return [*([scale] for scale in scales), None]

    def _stage_names(self) -> list[Scale]:
        return [ALL if subset is None else subset[-1] for subset in self._subsets()]

    def _goal_of(self, subset: list[Scale] | None) -> Tensor:
        if subset is None:
            return self._target
        if not self._target_is_given:
            goal = self._model(self._image, scales=subset).detach()
        elif hasattr(self._model, "remove_scales"):
            goal = self._model.remove_scales(self._target, subset)  # type: ignore[operator]
        else:
            raise InputError(
                "a target_representation needs a model with remove_scales, which reduces it to single "
                "scales, and this model has none; give an image"
            )
        if goal.shape[1:] == self._target.shape[1:]:
            raise InputError(
                f"the model returns shape {tuple(goal.shape[1:])} for scales={subset} as for all; with "
                "scales=[…] it must leave out the values of the other scales"
            )
        return goal.expand(len(self._resumable.origin), *goal.shape[1:])

    def _single(self) -> ScaleProgress:
        if len(self._resumable.origin) != 1:
            raise InputError(
                "the images of a batch change scales at different steps; use progress_of(item)"
            )
        return self.progress_of(0)

    def _bar_fields(self, state: StagedState) -> dict[str, Any]:
        names = self._stage_names()
        return {
            "current_scale": "/".join(str(names[s]) for s in state.stage.unique().tolist()),
            "current_scale_loss": f"{state.terms['loss'].mean().item():.4e}",
        }

    def _derive(self) -> None:
        self._goals = [self._goal_of(subset) for subset in self._subsets()]

    def _move(self, cast: Cast, move: Move) -> None:
        super()._move(cast, move)
        self._goals = [cast(goal) for goal in self._goals]


def _on(model: nn.Module, subset: list[Scale] | None) -> Callable[[Tensor], Tensor]:
    return model if subset is None else partial(model, scales=subset)


def _in_stages(criterion: float | None, window: int, inner: Method, before: int = 0) -> Method:
    return Staged(inner=inner, criterion=criterion, window=window, before=before)
