"""Syntheses with plenoptic's calls: settings in `setup`, a loss for the whole batch."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from torch import Tensor

from stimsynth import Eigendistortion, MADCompetition, Metamer, MetamerCTF
from stimsynth.losses import mse, penalize_range

_BATCHED = ("losses", "gradient_norm", "pixel_change_norm", "optimized_metric_loss")
_BATCHED_TOO = ("reference_metric_loss",)


class _Settings:
    """A synthesis of this project behind the methods of plenoptic's."""

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make
        self._moves: list[tuple[Any, Any]] = []
        self._own: Any = None
        self._set_up = False
        self._descent: dict[str, Any] = {}

    def setup(
        self,
        start: Any = None,
        optimizer: Any = None,
        optimizer_kwargs: Mapping[str, Any] | None = None,
        scheduler: Any = None,
        scheduler_kwargs: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> None:
        if self._set_up:
            raise ValueError("setup can be called once")
        first = next(iter(named.values()), start)
        if self._own is None:
            self._begin(first, weighed=optimizer is not None)
        self._set_up = True
        if scheduler is not None:
            scheduler = partial(scheduler, **(scheduler_kwargs or {}))
        given = {"optimizer": optimizer, "optimizer_kwargs": optimizer_kwargs}
        self._descent = {**given, "scheduler": scheduler}

    def _begin(self, first: Any, weighed: bool) -> None:
        self._own = self._make(first, weighed=weighed)
        for args, kwargs in self._moves:
            self._own.to(*args, **kwargs)

    def load(self, *args: Any, **kwargs: Any) -> None:
        """Load into a new synthesis, whose optimizer `setup` may name afterwards."""
        if self._own is None:
            self._begin(None, weighed=False)
        self._own.load(*args, **kwargs)

    @property
    def own(self) -> Any:
        if self._own is None:
            self.setup()
        return self._own

    def synthesize(self, max_iter: int = 100, *args: Any, **settings: Any) -> None:
        names = (
            "store_progress",
            "stop_criterion",
            "stop_iters_to_check",
            "change_scale_criterion",
        )
        settings |= dict(zip((*names, "ctf_iters_to_check"), args, strict=False))
        descent, self._descent = self._descent, {}
        self.own.synthesize(max_iter, **descent, **settings)

    def to(self, *args: Any, **kwargs: Any) -> None:
        if self._own is None:
            self._moves.append((args, kwargs))
        else:
            self._own.to(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or (self._own is None and name in ("metamer", "mad_image")):
            raise AttributeError(name)
        value = getattr(self.own, name)
        if name not in _BATCHED + _BATCHED_TOO:
            return value
        # A row of plenoptic's changes is of the step from an iterate, here of the step to it.
        rows = {"pixel_change_norm": slice(1, None), "gradient_norm": slice(None, -1)}
        return value.mean(dim=-1)[rows.get(name, slice(None))]

    def objective_function(self, image: Any = None) -> Any:
        """Return the mean objective; plenoptic's argument is an image, of metamers too."""
        if image is None:
            return self.own.objective_function().mean()
        model = getattr(self.own, "model", lambda x: x)
        return self.own.objective_function(model(image)).mean()

    @property
    def penalties(self) -> Any:
        history = self.own.run.history
        return history.get("given", history["penalty"]).mean(dim=-1)

    def get_progress(self, iteration: int | None, iteration_selection: str = "round") -> Any:
        at = self.own.get_progress(iteration, iteration_selection)
        last = at.iteration == len(self.own.losses) - 1
        found = {
            "losses": at.losses.mean(),
            "iteration": at.iteration,
            "penalties": self.penalties[at.iteration],
            "pixel_change_norm": None if last else self.pixel_change_norm[at.iteration],
            "gradient_norm": None if last else self.gradient_norm[at.iteration],
        }
        for name in ("optimized_metric", "reference_metric"):
            if name in at.terms:
                found[f"{name}_loss"] = at.terms[name].mean()
        if self.own.store_progress:
            found |= {self._saved: at.points, "store_progress_iteration": at.points_iteration}
        return found


def _penalty(function: Callable[[Tensor], Tensor], weight: float) -> dict[str, Any]:
    if function is penalize_range:
        return {"range_penalty_lambda": weight}
    return {"range_penalty_lambda": 0.0, "penalties": {"given": (weight, function)}}


class _Metamer(_Settings):
    kind: Any = Metamer
    _saved = "saved_metamer"

    def __init__(
        self,
        image: Tensor,
        model: Any,
        loss_function: Any = mse,
        penalty_function: Any = penalize_range,
        penalty_lambda: float = 0.1,
        **rest: Any,
    ) -> None:
        given = {"loss_function": loss_function, **_penalty(penalty_function, penalty_lambda)}
        self.loss_function, self.penalty_function = loss_function, penalty_function
        self.penalty_lambda = penalty_lambda

        def make(start: Any, weighed: bool) -> Any:
            return self.kind(image, model, initial_image=start, **given, **rest)

        super().__init__(make)
        self.kind(image, model, **given, **rest)  # refuses now what is wrong


class _MetamerCTF(_Metamer):
    kind = MetamerCTF


class _MADCompetition(_Settings):
    _saved = "saved_mad_image"

    def __init__(
        self,
        image: Tensor,
        optimized_metric: Any,
        reference_metric: Any,
        minmax: Any,
        metric_tradeoff_lambda: float | None = None,
        penalty_function: Any = penalize_range,
        penalty_lambda: float = 0.1,
    ) -> None:
        given = _penalty(penalty_function, penalty_lambda)
        self.penalty_function, self.penalty_lambda = penalty_function, penalty_lambda
        metrics = (optimized_metric, reference_metric, minmax)

        def make(noise: Any, weighed: bool) -> Any:
            weight: Any = metric_tradeoff_lambda
            if weight is None and weighed:
                weight = "auto"
            return MADCompetition(
                image,
                *metrics,
                initial_noise=0.1 if noise is None else noise,
                metric_tradeoff_lambda=weight,
                **given,
            )

        super().__init__(make)
        make(None, False)


CLASSES = {
    "Metamer": _Metamer,
    "MetamerCTF": _MetamerCTF,
    "MADCompetition": _MADCompetition,
    "Eigendistortion": Eigendistortion,
}
