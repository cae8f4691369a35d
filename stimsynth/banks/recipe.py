"""Interface of recipes: planning, making and measuring one kind of stimulus.

A recipe is a frozen record that is read strictly from a plan. The settings that change a stimulus are copied
to its spec, so that a bank is enough to make it again. `build` finds kinds in `RECIPES` only.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from stimsynth.methods.mad import Metric
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.frames import Frame
from stimuli_store.records.convert import from_json, to_json
from stimuli_store.records.spec import Level, ModelRef, SetSpec, StimulusSpec


@dataclass(frozen=True, kw_only=True)
class Target:
    """A target of a plan: its name, pixel id, and master pixels (H, W) or (H, W, C)."""

    name: str
    sha256: str
    pixels: np.ndarray = field(repr=False, compare=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the master pixels, (H, W) or (H, W, C)."""
        return self.pixels.shape


@dataclass(frozen=True, kw_only=True)
class PictureFile:
    """A picture in a file: its name, pixel id and shape, the name of the file and the hash of its bytes."""

    name: str
    sha256: str
    shape: tuple[int, ...]
    file: str
    file_sha256: str


class Catalogue(Protocol):
    """Interface of a plan for recipes: its targets, code, models and picture files."""

    targets: tuple[Target, ...]
    code: Mapping[str, str]

    def model(self, label: str, params: Mapping[str, Any] | None = None) -> ModelRef:
        """Return a model or metric of the plan, with further arguments."""

    def output_shapes(self, model: ModelRef) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of a model's outputs for one image, for every shape of the targets."""

    def follow_each_other(self, one: ModelRef, two: ModelRef) -> bool:
        """Return whether each of two metrics is a function of the other, as far as can be seen."""

    def files(
        self, patterns: Sequence[str], size: int | None, colour: str, license: str
    ) -> tuple[PictureFile, ...]:
        """Return the pictures in files beside the plan."""


class Context(Protocol):
    """Interface of the materials for a recipe: pictures, frames, models and metrics."""

    device: torch.device

    def images(self, ids: Sequence[str]) -> Tensor:
        """Return pictures by pixel id as one batch, float32 (n, c, h, w)."""

    def frame(self, sha: str) -> Frame:
        """Return the 8-bit frame of a picture by pixel id."""

    def file(self, recipe: Mapping[str, Any]) -> np.ndarray:
        """Return the pixels of the picture in a file; see `picture_key`."""

    def model(self, ref: ModelRef) -> nn.Module:
        """Return the model of a reference, ready for synthesis."""

    def exact(self, ref: ModelRef) -> nn.Module:
        """Return a copy of a model for images in float64."""

    def metric(self, ref: ModelRef) -> Metric:
        """Return the metric of a reference, or its model's distance: values (n,), 0 for equal images."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A stimulus as it comes out of a synthesis.

    Attributes
    ----------
    spec
        How it was made.
    pixels
        Master pixels, float32 (H, W) or (H, W, C).
    status
        How the synthesis ended, as a sentence.
    start
        The image that it began from, shaped like `pixels`; None for none.
    losses
        Loss at every step; empty for none.
    figures
        Figures that only the synthesis knows, such as an eigenvalue.
    shown
        Whether the pixels are a picture to be shown; a unit distortion is not.
    clipped_fraction
        Share of values that were clipped on the way to these pixels; None to count those outside [0, 1].
    license
        Licence, if it is not that of the first target.
    """

    spec: StimulusSpec
    pixels: np.ndarray = field(repr=False)
    status: str
    start: np.ndarray | None = field(default=None, repr=False)
    losses: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32), repr=False)
    figures: Mapping[str, float] = field(default_factory=dict)
    shown: bool = True
    clipped_fraction: float | None = None
    license: str | None = None


class Recipe(Protocol):
    """Interface of a kind of stimulus: what is planned, how it is made, and what is measured on it.

    Attributes
    ----------
    kind
        Its name in plans and banks.
    axes
        Fields that say which stimuli there are, and not how one is made; they are left out of specs.
    whole
        Whether all members of a set are made together.
    figures
        Names of all figures that its certificates may have.
    batch
        How many stimuli are synthesized together at most.
    gates, on_miss, retries
        Name of a figure to the largest absolute value it may have, what is done where it has a larger one
        (``"flag"``, ``"retry"`` or ``"fail"``), and how many further seeds are tried.
    name
        Part of the names of its sets; may be empty.
    """

    kind: ClassVar[str]
    axes: ClassVar[frozenset[str]]
    whole: ClassVar[bool]
    figures: ClassVar[tuple[str, ...]]

    @property
    def batch(self) -> int: ...  # noqa: D102
    @property
    def gates(self) -> Mapping[str, float]: ...  # noqa: D102
    @property
    def on_miss(self) -> str: ...  # noqa: D102
    @property
    def retries(self) -> int: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102

    def specs(self, catalogue: Catalogue) -> tuple[SetSpec, ...]:
        """Return the sets of specs to make, without making anything."""

    def make(self, batch: Sequence[StimulusSpec], context: Context) -> Iterator[Made]:
        """Yield the stimuli of a batch, in its order."""

    def certify(
        self, made: Made, frames: Mapping[str, Frame], context: Context
    ) -> Mapping[str, float]:
        """Return figures in float64 on the frame that will be shown.

        `frames` holds the frames of targets and starts by pixel id, and of the batch by key of the spec.
        """


RECIPES: dict[str, type[Recipe]] = {}


def register_recipe(recipe: type[Recipe]) -> type[Recipe]:
    """Add a class of recipes to `RECIPES` under its kind, and return it."""
    RECIPES[recipe.kind] = recipe
    return recipe


def recipe_class(kind: str) -> type[Recipe]:
    """Return the class of recipes of a kind.

    Raises
    ------
    InputError
        If there is none; the nearest is named.
    """
    import stimsynth.banks.recipes  # noqa: F401  (registers the kinds that come with the package)

    if kind not in RECIPES:
        raise unknown_name("kind of stimuli", kind, list(RECIPES))
    return RECIPES[kind]


def settings_of(recipe: Recipe) -> dict[str, Any]:
    """Return all of a recipe that changes a stimulus, as JSON values for its spec."""
    common = {"batch", "gates", "on_miss", "retries", "name"}
    whole = to_json(recipe)
    return {key: value for key, value in whole.items() if key not in recipe.axes | common}


def recipe_of(spec: StimulusSpec) -> Recipe:
    """Return the recipe that makes a stimulus again from its spec."""
    return from_json(recipe_class(spec.kind), dict(spec.recipe), f"the recipe of a {spec.kind}")


def picture_key(recipe: Mapping[str, Any]) -> str | None:
    """Return the key of the picture in a file that a recipe names by its hash; None if it names none.

    Another size or colour of the same file is another picture.
    """
    if "sha256" not in recipe:
        return None
    return f"{recipe['sha256']} {recipe.get('size')} {recipe.get('colour')}"


def levels_of(level: Mapping[str, Sequence[float | str]], what: str) -> tuple[Level | None, ...]:
    """Return the levels in a table ``{unit = [values]}``; (None,) for an empty one.

    Raises
    ------
    InputError
        If it has more than one unit, no values, or a value twice or not finite.
    """
    if not level:
        return (None,)
    if len(level) != 1:
        raise InputError(
            f"{what}.level must name one axis, as in {{ noise = [0.02, 0.04] }}; not {dict(level)}"
        )
    ((unit, values),) = level.items()
    numbers = [v for v in values if not isinstance(v, str)]
    if any(isinstance(v, bool) or not np.isfinite(v) for v in numbers):
        raise InputError(
            f"the levels of {unit} must be finite numbers or words; not {list(values)}"
        )
    shown = [str(Level(value=v, unit=unit)) for v in values]
    if not values or len(set(shown)) != len(shown):
        raise InputError(
            f"the levels of {unit} must be one or more values that differ in their first six digits; "
            f"not {list(values)}"
        )
    return tuple(Level(value=v if isinstance(v, str) else float(v), unit=unit) for v in values)


def check_seeds(seeds: Sequence[int], what: str) -> None:
    """Check that seeds are one or more different whole numbers from 0 to 2**63 - 1.

    Raises
    ------
    InputError
        If they are not.
    """
    if not seeds or len(set(seeds)) != len(seeds) or not all(0 <= s < 2**63 for s in seeds):
        raise InputError(
            f"{what}.seeds must be one or more different numbers from 0 to 2**63 - 1; not {list(seeds)}"
        )


def argument_of(level: Level | None) -> dict[str, float | str]:
    """Return the argument of a model that a level stands for; whole numbers are given as such."""
    if level is None:
        return {}
    value = level.value
    whole = isinstance(value, float) and value.is_integer()
    return {level.unit: int(value) if whole else value}


def number_of(level: Level | None) -> float:
    """Return the value of a level that is a number.

    Raises
    ------
    InputError
        If it is a word, or there is none.
    """
    if level is None or isinstance(level.value, str):
        raise InputError(f"the levels of this kind must be numbers; not {level}")
    return level.value


def label_of(*parts: str) -> str:
    """Return the label of a set: the parts that are not empty, with slashes."""
    return "/".join(part for part in parts if part)


@contextmanager
def convergence_in_certificate() -> Iterator[None]:
    """Run a synthesis without its warning of convergence, since the certificate states how it ended."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*converged, stopping synthesis")
        yield


def to_array(image: Tensor) -> np.ndarray:
    """Return an image (c, h, w) as pixels (h, w) or (h, w, c), float32."""
    array = image.detach().to("cpu", torch.float32).numpy()
    return array[0] if len(array) == 1 else np.ascontiguousarray(array.transpose(1, 2, 0))


def to_tensor(pixels: np.ndarray) -> Tensor:
    """Return pixels (h, w) or (h, w, c) as an image (1, c, h, w) of their type."""
    array = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(array))[None]
