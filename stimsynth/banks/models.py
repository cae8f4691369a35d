"""Models and metrics of a plan: found by name, by file or by package, made once, and identified."""

import copy
import inspect
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stimsynth.banks.measures import check_metric_takes
from stimsynth.banks.model_identity import (
    Factory,
    importing_from,
    load_factory,
    load_weights,
    model_probe,
    noise_image,
    params_as_json,
    same_probe,
    sources_of,
    weights_sha256,
)
from stimsynth.banks.recipe import Metric
from stimsynth.metrics import model_distance, ms_ssim, mse, nlpd, ssim
from stimsynth.models import MODELS, features
from stimsynth.seeding import fixed_random_state
from stimsynth.validate import checked_output, remove_grad
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.records.spec import ModelRef

#: Metrics by name: 0 for equal images and more for others, one value for each image and channel.
METRICS: Mapping[str, Metric] = {
    "mse": mse,
    "ssim": lambda x, y: 1 - ssim(x, y),
    "ms_ssim": lambda x, y: 1 - ms_ssim(x, y),
    "nlpd": nlpd,
}
#: Two gradients whose cosine is nearer to 1 than this, an angle of 0.08 degrees, are parallel.
PARALLEL = 1e-6
_LAYER = ("layer", "size", "channels", "mean", "std")


@dataclass(frozen=True, kw_only=True)
class ModelPlan:
    """``[models.LABEL]``: source of a model, its arguments, its weights, and the layer that is used.

    Attributes
    ----------
    use
        Name of a bundled model, ``"file.py:factory"`` beside the plan, or ``"package.module:factory"``.
    params
        Arguments of the model or factory.
    weights
        File beside the plan with a state dictionary of tensors.
    layer, size, channels, mean, std
        For one layer of a network, as in `stimsynth.features`.
    """

    use: str
    params: Mapping[str, Any] = field(default_factory=dict)
    weights: str | None = None
    layer: str | None = None
    size: int | None = None
    channels: int | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        prepared = [n for n in ("size", "channels", "mean", "std") if getattr(self, n) is not None]
        if prepared and self.layer is None:
            raise InputError(
                f"{', '.join(prepared)} prepare images for a layer of a network; name the layer too"
            )

    @property
    def features(self) -> dict[str, Any] | None:
        """Arguments of `stimsynth.features` as JSON values; None for a whole model."""
        found = {name: getattr(self, name) for name in _LAYER if getattr(self, name) is not None}
        return params_as_json(found) or None


def make_model(name: str, params: Mapping[str, Any]) -> nn.Module:
    """Return a bundled model by class name with its constructor's arguments, ready for synthesis.

    Raises
    ------
    InputError
        If the name or an argument is unknown (the nearest known one is named), or a value is refused.

    Examples
    --------
    >>> make_model("UniformPooling", {"window_px": 8}).window_px
    8.0
    """
    if name not in MODELS:
        raise unknown_name("model", name, sorted(MODELS))
    return remove_grad(made_by(MODELS[name], name, params)).eval()


def made_by(factory: Factory, name: str, params: Mapping[str, Any]) -> nn.Module:
    """Return the module that a factory makes.

    Parameters of a bundled model stay as they are, so it keeps its filters (``cache_filt=True``) unless
    `params` says otherwise. That changes no result, and a bank does not record it.

    Raises
    ------
    InputError
        If an argument is unknown, the factory fails, or it returns no module.
    """
    if isinstance(factory, nn.Module):
        raise InputError(
            f"{name} is a module; give a function that makes it, so that it can be made again"
        )
    known = _parameters(factory)
    for key in params:
        if known is not None and key not in known:
            raise unknown_name(f"argument of {name}", key, known)
    kept = {"cache_filt": True} if name in MODELS and "cache_filt" in (known or ()) else {}
    try:
        with fixed_random_state():  # for factories that draw weights: the same every time
            module = factory(**{**kept, **params})
    except Exception as error:
        raise InputError(f"{name} cannot be made from {dict(params)}: {error}") from error
    if not isinstance(module, nn.Module):
        raise InputError(
            f"{name} returns a {type(module).__name__}; a factory returns a torch.nn.Module"
        )
    return module


class Models:
    """The models and metrics of a plan, each made when it is first needed.

    Parameters
    ----------
    plans
        Label to where it comes from.
    folder
        Folder of the plan.
    factories
        Label to a function or class that makes the model, in place of what its plan names.
    shapes
        Shapes (c, h, w) of the pictures; models are probed on those that they take.
    device
        Where models run.
    """

    def __init__(
        self,
        plans: Mapping[str, ModelPlan],
        folder: Path,
        factories: Mapping[str, Factory] | None = None,
        shapes: tuple[tuple[int, int, int], ...] = (),
        device: torch.device | str = "cpu",
    ) -> None:
        self._plans, self._folder, self._shapes = dict(plans), folder, shapes
        self._factories = dict(factories or {})
        self.device = torch.device(device)
        self._made: dict[str, nn.Module] = {}
        self._exact: dict[str, nn.Module] = {}
        self._refs: dict[str, ModelRef] = {}
        self._loaded: dict[str, Factory] = {}
        self._validated: set[str] = set()

    @property
    def labels(self) -> list[str]:
        """Labels of the models, and names of metrics."""
        return [*dict.fromkeys((*self._plans, *self._factories)), *METRICS]

    def ref(
        self, label: str, params: Mapping[str, Any] | None = None, *, synthesizes: bool = False
    ) -> ModelRef:
        """Return the reference of a model or metric that a bank stores, by its label and further arguments.

        Parameters
        ----------
        label
            Of the plan, or the name of a metric.
        params
            Further arguments.
        synthesizes
            Whether images are made with it, which takes a model that `stimsynth.validate` accepts.

        Raises
        ------
        InputError
            If the label is unknown, the model cannot be made, or it fails on the pictures.
        """
        key = f"{label} {sorted((params or {}).items())}"
        if key not in self._refs:
            self._refs[key] = self._described(label, dict(params or {}))
        ref = self._refs[key]
        if synthesizes and ref.name not in METRICS and key not in self._validated:
            self._validated.add(key)
            self._validate(ref)
        return ref

    def find(self, label: str) -> None:
        """Check that the model of a label comes from somewhere, without making it.

        Raises
        ------
        InputError
            If there is no such file, module or factory.
        """
        self._factory(label, self._plans[label].use)

    def check_all_used(self) -> None:
        """Check that every factory is of a model of the plan, or of one that was asked for.

        Raises
        ------
        InputError
            If one is not, as its label may be misspelt.
        """
        used = {ref.label for ref in self._refs.values()} | self._plans.keys()
        for label in self._factories.keys() - used:
            raise unknown_name("model or metric", label, sorted(used))

    def module(self, ref: ModelRef) -> nn.Module:
        """Return the model of a reference, on the device and ready for synthesis."""
        key = _key(ref)
        if key not in self._made:
            self._made[key] = self._make(ref)
        return self._made[key]

    def exact(self, ref: ModelRef) -> nn.Module:
        """Return a copy of the model of a reference for images in float64, made once.

        A model that is tied to float32 runs in that.
        """
        key = _key(ref)
        if key not in self._exact:
            exact = copy.deepcopy(self.module(ref)).double()
            fits = not self._shapes or any(self._stays_exact(exact, s) for s in self._shapes)
            self._exact[key] = exact if fits else _InSingle(self.module(ref))
        return self._exact[key]

    def _stays_exact(self, model: nn.Module, shape: tuple[int, int, int]) -> bool:
        image = torch.full((1, *shape), 0.5, dtype=torch.float64, device=self.device)
        with torch.no_grad(), suppress(InputError, RuntimeError):
            return model(image).dtype in (torch.float64, torch.complex128)
        return False

    def output_shapes(self, ref: ModelRef) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of a model's outputs for one image, for every shape of the pictures."""
        module = self.module(ref)
        with torch.no_grad():
            images = (noise_image(shape)[None].to(self.device) for shape in self._shapes)
            return tuple(tuple(module(image)[0].shape) for image in images)

    def metric(self, ref: ModelRef) -> Metric:
        """Return a metric, or the distance of a model's outputs; one value for each image."""
        if ref.name in METRICS:
            metric = METRICS[ref.name]
            return lambda x, y: metric(x, y).flatten(1).mean(dim=1)
        distance = model_distance(_InPrecision(self.module(ref), self.exact(ref)))
        return lambda x, y: distance(x.to(self.device), y.to(self.device))

    def follow_each_other(self, one: ModelRef, two: ModelRef) -> bool:
        """Return whether each of two metrics is a function of the other: a copy, its square root, …

        Their gradients by the second image are then parallel everywhere. They are compared at three fixed
        pairs of images, of the first of the pictures' shapes that both take.
        """
        metrics = [self.metric(ref) for ref in (one, two)]
        for shape in self._shapes:
            with suppress(InputError, RuntimeError):  # which their use as metrics reports
                return all(
                    _parallel(metrics, noise_image((4, *shape))[i : i + 2]) for i in range(3)
                )
        return False

    def _described(self, label: str, params: dict[str, Any]) -> ModelRef:
        if label in METRICS and label not in self._plans and label not in self._factories:
            if params:
                raise InputError(f"the metric {label} has no params; not {params}")
            check_metric_takes(label, METRICS[label], self._shapes)
            return ModelRef(label=label, name=label)
        if label not in self._plans and label not in self._factories:
            raise unknown_name("model or metric", label, self.labels)
        plan = self._plans.get(label, ModelPlan(use=""))
        twice = sorted(set(params) & set(plan.params))
        if twice:
            raise InputError(f"params of {label} set {twice[0]!r}, which is the level axis already")
        factory = self._factories.get(label)
        name = plan.use or _name_of(getattr(factory, "func", factory))
        given = getattr(factory, "keywords", {})  # of a partial, which are part of what it makes
        ref = ModelRef(
            label=label,
            name=name,
            params=params_as_json({**given, **plan.params, **params}),
            layer=plan.features,
        )
        module = self.module(ref)
        probe = self._probe(label, module)
        own = name not in MODELS or label in self._factories
        if own and weights_sha256(self._make(ref)) != weights_sha256(module):
            raise InputError(
                f"{label} has other weights every time it is made; seed the generator that draws them"
            )
        return replace(
            ref,
            weights_sha256=weights_sha256(module),
            probe=probe,
            sources=sources_of(self._factory(label, name), self._folder) if own else {},
        )

    def _make(self, ref: ModelRef) -> nn.Module:
        factory, plan = self._factory(ref.label, ref.name), self._plans.get(ref.label)
        named = ref.label if ref.label in self._factories else ref.name
        with importing_from(self._folder):
            module = made_by(factory, named, ref.params)
        if plan is not None and plan.weights is not None:
            load_weights(module, self._folder / plan.weights)
        if ref.layer is not None:
            module = features(module, **ref.layer)
        return remove_grad(module).eval().to(self.device)

    def _factory(self, label: str, name: str) -> Factory:
        if label in self._factories:
            return self._factories[label]
        if name in MODELS:
            return MODELS[name]
        if ":" not in name:
            raise unknown_name("model", name, sorted(MODELS))
        if name not in self._loaded:
            self._loaded[name] = load_factory(name, self._folder)
        return self._loaded[name]

    def _validate(self, ref: ModelRef) -> None:
        """Check that a model can be used for synthesis on pictures of one of the shapes."""
        faults = []
        for shape in self._shapes:
            try:
                checked_output(self.module(ref), noise_image(shape)[None].to(self.device))
            except InputError as error:
                faults.append(error)
            else:
                return
        if faults:
            raise InputError(f"{ref.label}: {faults[0]}") from faults[0]

    def _probe(self, label: str, module: nn.Module) -> tuple[float, ...]:
        """Return the probe of a model on pictures of the first shape that it takes."""
        faults = []
        for shape in self._shapes:
            try:
                with importing_from(self._folder):
                    return _checked_probe(label, module, shape, self.device)
            except InputError as error:
                faults.append(error)
        if faults:
            raise faults[0]
        return ()


def _checked_probe(
    label: str, module: nn.Module, shape: tuple[int, int, int], device: torch.device
) -> tuple[float, ...]:
    """Return the probe of a model whose outputs are finite and the same in every pass."""
    try:
        one, two = (model_probe(module.cpu(), shape) for _ in range(2))
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{label} fails on images of shape {shape}: {error}") from error
    finally:
        module.to(device)
    if not all(map(math.isfinite, one)):
        raise InputError(f"{label} is not finite on images of shape {shape}")
    if not same_probe(one, two, rtol=1e-6):
        raise InputError(
            f"{label} is random: two passes on one image differ; put it into evaluation mode, or seed it"
        )
    return one


def _parallel(metrics: Sequence[Metric], pair: Tensor) -> bool:
    """Return whether the gradients of two metrics by the second of a pair of images are parallel."""
    reference, image = pair.double().split(1)
    image.requires_grad_()
    slopes = [torch.autograd.grad(m(reference, image).sum(), image)[0].flatten() for m in metrics]
    one, two = (slope / slope.norm() for slope in slopes)
    return float((one @ two).abs()) > 1 - PARALLEL


class _InSingle(nn.Module):
    """A model that takes images in float64, runs in float32, and returns float64."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensor:
        found = self.model(image.float())
        return found.to(torch.complex128 if found.is_complex() else torch.float64)


class _InPrecision(nn.Module):
    """A model that runs in the precision of its image, float32 or float64."""

    def __init__(self, model: nn.Module, exact: nn.Module) -> None:
        super().__init__()
        self.model, self.exact = model, exact

    def forward(self, image: Tensor) -> Tensor:
        return (self.exact if image.dtype == torch.float64 else self.model)(image)


def _key(ref: ModelRef) -> str:
    return f"{ref.label} {ref.name} {sorted(ref.params.items())} {ref.layer}"


def _name_of(factory: Factory | None) -> str:
    return f"{getattr(factory, '__module__', '')}:{getattr(factory, '__qualname__', 'factory')}"


def _parameters(factory: Factory) -> list[str] | None:
    """Return the names of a factory's arguments; None if it accepts any."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return None
    return [p.name for p in parameters]
