"""Models and files named in the records of a bank, found again by their hashes."""

import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch
from torch import nn

from stimsynth.banks.model_identity import Factory, load_factory, same_probe
from stimsynth.banks.models import METRICS, ModelPlan, Models
from stimsynth.banks.recipe import Metric, picture_key
from stimsynth.banks.targets import load_target
from stimsynth.images import Picture
from stimsynth.models import MODELS
from stimuli_store.errors import InputError
from stimuli_store.records.canonical import key_of, sha256
from stimuli_store.records.spec import ModelRef, StimulusSpec

_WEIGHTS = {".pt", ".pth", ".bin"}


class RecordedModels:
    """Models and metrics named in records; raises an error for one that has changed.

    Parameters
    ----------
    factories
        Functions or classes that make the user's own models, by label.
    place
        File, or folder of the plan, with the code of the user's own models; None if all are installed.
    files
        Folder with files of weights; None for that of `place`.
    shapes
        Shapes (c, h, w) of the targets, in the bank's order.
    device
        Where models run.
    """

    def __init__(
        self,
        factories: Mapping[str, Factory],
        place: Path | None,
        files: Path | None,
        shapes: tuple[tuple[int, int, int], ...],
        device: str,
    ) -> None:
        self._factories, self._place, self._files = factories, place, files
        self._shapes, self.device = shapes, torch.device(device)
        self._found: dict[str, Models] = {}

    def module(self, ref: ModelRef) -> nn.Module:
        """Return the model of a reference, ready for synthesis."""
        return self._models(ref).module(ref)

    def exact(self, ref: ModelRef) -> nn.Module:
        """Return a copy of the model of a reference in float64."""
        return self._models(ref).exact(ref)

    def metric(self, ref: ModelRef) -> Metric:
        """Return the metric of a reference, or the distance of its model's outputs."""
        return self._models(ref).metric(ref)

    def _models(self, ref: ModelRef) -> Models:
        key = key_of([ref.label, ref.identity])
        if key not in self._found:
            named = ref.name in METRICS
            self._found[key] = Models({}, Path(), device=self.device) if named else self._made(ref)
        return self._found[key]

    def _made(self, ref: ModelRef) -> Models:
        """Return models in which the one of `ref` has the record's code and weights."""
        folder, factories = self._code_of(ref)
        fault = f"the model {ref.label!r} has other weights or outputs than the record names"
        for weights in (None, *self._weights_files()):
            plan = ModelPlan(
                use=ref.name,
                weights=None if weights is None else str(weights.resolve()),
                **(ref.layer or {}),
            )
            models = Models({ref.label: plan}, folder, factories, self._shapes, self.device)
            try:
                found = models.ref(ref.label, ref.params)
            except InputError:
                if weights is None:
                    raise
                continue  # a file of other weights
            lost = set(ref.sources.values()) - set(found.sources.values())
            if lost:
                changed = sorted(name for name, sha in ref.sources.items() if sha in lost)
                raise InputError(
                    f"the code of the model {ref.label!r} is not what the record names: "
                    f"{', '.join(changed)} has another SHA-256, or is not there"
                )
            if found.weights_sha256 == ref.weights_sha256 or same_probe(found.probe, ref.probe):
                return models
        raise InputError(f"{fault}; give the folder of its file of weights with --files")

    def _code_of(self, ref: ModelRef) -> tuple[Path, Mapping[str, Factory]]:
        """Return the folder of a model's code, and a factory if the model is not found by name."""
        if ref.label in self._factories:
            return self._place or Path(), {ref.label: self._factories[ref.label]}
        if ref.name in MODELS:
            return Path(), {}
        home, _, name = ref.name.partition(":")
        if not home.endswith(".py") and _is_installed(home):
            return self._place or Path(), {}
        if self._place is None:
            raise InputError(
                f"the model {ref.label!r} comes from {ref.name}; give its file, or the folder of the plan, "
                "with --models"
            )
        if not home.endswith(".py"):  # built by a script, which need not be a module
            folder = self._place.resolve().parent
            return folder, {ref.label: load_factory(f"{self._place.name}:{name}", folder)}
        depth = 0 if self._place.is_dir() else len(Path(home).parts)
        return [self._place.resolve(), *self._place.resolve().parents][depth], {}

    def _weights_files(self) -> Iterator[Path]:
        for folder in dict.fromkeys((self._files, self._place)):
            if folder is not None:
                inside = folder if folder.is_dir() else folder.parent
                yield from sorted(p for p in inside.rglob("*") if p.suffix in _WEIGHTS)


def recorded_files(specs: Iterable[StimulusSpec], folder: Path | None) -> Mapping[str, Picture]:
    """Return the pictures in files that specs name, by `picture_key`.

    Raises
    ------
    InputError
        If a file is not in the folder under any name.
    """
    wanted = {key: s.recipe for s in specs if (key := picture_key(s.recipe)) is not None}
    if not wanted:
        return {}
    there = (
        {} if folder is None else {sha256(path.read_bytes()): path for path in _files_in(folder)}
    )
    found = {}
    for key, recipe in wanted.items():
        sha = str(recipe["sha256"])
        if sha not in there:
            where = (
                "give its folder with --files" if folder is None else f"{folder} does not hold it"
            )
            raise InputError(
                f"the bank was made from {recipe.get('file', 'a file')} with the SHA-256 {sha[:16]}…; {where}"
            )
        found[key] = load_target(
            there[sha], recipe.get("size"), "", str(recipe.get("colour", "any"))
        )
    return found


def _files_in(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}")
    yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def _is_installed(module: str) -> bool:
    try:
        return module != "__main__" and importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
