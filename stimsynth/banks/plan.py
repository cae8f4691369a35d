"""Reading of PLAN.toml, the list of stimuli to make; all faults are reported together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from stimsynth.banks.faults import Faults
from stimsynth.banks.models import ModelPlan
from stimsynth.banks.recipe import Recipe, recipe_class
from stimuli_store.bank.format import check_name, check_ppd, check_version
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.records.convert import from_json, is_needed, to_json
from stimuli_store.records.toml_file import read_toml_table

_R = TypeVar("_R")

TRANSFERS = ("srgb", "linear")
COLOURS = ("gray", "rgb")
ON_MISS = ("flag", "retry", "fail")
_TABLES = ("bank", "targets", "models", "sets", "predict")


@dataclass(frozen=True, kw_only=True)
class BankPlan:
    """``[bank]``: name, version and licence of the bank, and the transfer function of pixel values.

    `parent` is an older version in the folder of the bank: batches whose stimuli it has, by all but the code
    that made them, are taken from it.
    """

    name: str
    version: str
    license: str
    creators: tuple[str, ...] = ()
    transfer: str = "srgb"
    parent: str | None = None

    def __post_init__(self) -> None:
        check_name(self.name)
        check_version(self.version)
        if self.parent is not None and check_version(self.parent) == self.version:
            raise InputError(
                f"bank.parent must be an older version than {self.version}; not {self.parent}"
            )
        if not self.license.strip():
            raise InputError("bank.license must name the licence of the bank, as in CC0-1.0")
        if self.transfer not in TRANSFERS:
            raise InputError(
                f"bank.transfer must be one of {', '.join(TRANSFERS)}; not {self.transfer!r}"
            )


@dataclass(frozen=True, kw_only=True)
class TargetsPlan:
    """``[targets]``: which pictures, brought to which size and colour, under which licence.

    Attributes
    ----------
    images
        Names of bundled photographs, files, folders, or patterns such as ``"photos/*.jpg"``. May be empty if
        all sets are of pictures from elsewhere.
    size
        Side of the square that they are brought to, in pixels; None to keep them as they are.
    colour
        ``"gray"`` or ``"rgb"``.
    license
        Licence of all files that `licenses` does not name.
    licenses
        File name to licence.
    ppd
        Pixels per degree of visual angle at which all images of the bank are meant to be seen; a screen that
        states another scale does not show them.
    """

    images: tuple[str, ...]
    size: int | None = None
    colour: str = "gray"
    license: str = ""
    licenses: Mapping[str, str] = field(default_factory=dict)
    ppd: float | None = None

    def __post_init__(self) -> None:
        check_ppd(self.ppd, "targets.ppd")
        if self.colour not in COLOURS:
            raise InputError(
                f"targets.colour must be one of {', '.join(COLOURS)}; not {self.colour!r}"
            )


@dataclass(frozen=True, kw_only=True)
class PredictPlan:
    """``[predict]``: labels of models and names of metrics whose predictions are stored.

    With `other_targets`, also those of each stimulus with the targets that it was not made from, which the
    comparison ``"identification"`` asks for.
    """

    models: tuple[str, ...] = ()
    other_targets: bool = False

    def __post_init__(self) -> None:
        if len(set(self.models)) != len(self.models):
            raise InputError(f"predict.models must be different; not {list(self.models)}")


@dataclass(frozen=True, kw_only=True)
class PartOfPlan:
    """Tables with faults, as far as they can be read, so that further faults in them can be found."""

    targets: TargetsPlan | None = None
    sets: tuple[Recipe, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    """A plan: the bank, its targets, models, sets and predictions."""

    bank: BankPlan
    targets: TargetsPlan
    sets: tuple[Recipe, ...]
    models: Mapping[str, ModelPlan] = field(default_factory=dict)
    predict: PredictPlan = field(default_factory=PredictPlan)
    part: PartOfPlan = field(default_factory=PartOfPlan)

    def __post_init__(self) -> None:
        for label in self.models:
            if not label.strip() or not label.isprintable():
                raise InputError(f"a model's label must be one line of text; not {label!r}")


#: Stands for a table [bank] with faults while others are looked for.
_UNREAD = BankPlan(name="unread", version="0.0.0", license="unread")
#: Tables of which there is one, and sound values of the keys that they need.
_SINGLE: Sequence[tuple[str, type, Mapping[str, Any]]] = (
    ("bank", BankPlan, to_json(_UNREAD)),
    ("targets", TargetsPlan, {"images": ()}),
    ("predict", PredictPlan, {}),
)


def read_plan(path: str | Path) -> BuildPlan:
    """Return the plan in a TOML file.

    Parameters
    ----------
    path
        Path of the file.

    Raises
    ------
    InputError
        If the file is missing or no TOML; or with all its faults: unknown, missing or mistyped keys, kinds
        that do not exist, …

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")  # made from this plan
    >>> plan = read_plan("plan.toml")
    >>> plan.bank.name, plan.sets[0].kind
    ('study', 'metamer')
    """
    return plan_from(read_toml_table(path, "the plan"), Faults(f"{path}: "))


def plan_from(
    table: Mapping[str, Any], faults: Faults | None = None, report: bool = True
) -> BuildPlan:
    """Return the plan that a mapping of tables describes; the same tables as in TOML.

    Parameters
    ----------
    table
        Names of tables to their keys and values.
    faults
        Where faults are kept.
    report
        False to return what can be read of a plan with faults, so that further ones can be looked for.

    Raises
    ------
    InputError
        With all faults together.
    """
    faults = faults or Faults("the plan: ")
    parts: dict[str, Any] = {"bank": _UNREAD, "targets": TargetsPlan(images=())}
    partly: dict[str, Any] = {"targets": parts["targets"]}
    for key in table:
        if key not in _TABLES:
            faults.sentences.append(str(unknown_name("table of a plan", key, list(_TABLES))))
    for name, cls, sound in _SINGLE:
        if name in table:
            read, part = _read(cls, table[name], f"[{name}]", faults, sound)
            parts |= {} if read is None else {name: read}
            partly |= {} if part is None else {name: part if read is None else None}
        elif name != "predict":
            faults.sentences.append(f"the plan needs a table [{name}]")
    models = table.get("models", {})
    if not isinstance(models, Mapping):
        faults.sentences.append(f"models are tables [models.LABEL]; not {models!r}")
        models = {}
    parts["models"] = {}
    for label, entry in models.items():
        model, _ = _read(ModelPlan, entry, f"[models.{label}]", faults, {"use": "", "layer": ""})
        if model is None:
            faults.follow.append(f"unknown model or metric {label!r}")
        else:
            parts["models"][label] = model
    recipes = tuple(_recipes(table.get("sets", ()), faults))
    parts["sets"] = tuple(recipe for recipe, whole in recipes if whole)
    if report:
        faults.report()
    unsound = tuple(recipe for recipe, whole in recipes if not whole)
    return BuildPlan(**parts, part=PartOfPlan(targets=partly["targets"], sets=unsound))


def _recipes(entries: Any, faults: Faults) -> Iterator[tuple[Recipe, bool]]:
    """Yield the recipes of a plan, and whether each could be read as a whole."""
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        faults.sentences.append(f"sets are tables [[sets]], each with a kind; not {entries!r}")
        return
    if not entries:
        faults.sentences.append("the plan needs one table [[sets]] or more, each with a kind")
    for number, entry in enumerate(entries, start=1):
        where = f"[[sets]] {number}"
        with faults.collect():
            if not isinstance(entry, Mapping) or not isinstance(entry.get("kind"), str):
                raise InputError(f'{where} needs a kind, as in kind = "metamer"')
            rest = {key: value for key, value in entry.items() if key != "kind"}
            kind = recipe_class(entry["kind"])
            read = _read(kind, rest, where, faults, {}, _check_common)
            if read[0] is not None:
                yield read[0], True
            elif read[1] is not None:
                yield read[1], False


def _read(
    cls: type[_R],
    table: Any,
    where: str,
    faults: Faults,
    sound: Mapping[str, Any],
    check: Callable[[_R, str], None] = lambda record, where: None,
) -> tuple[_R | None, _R | None]:
    """Return a table as a record; if one of its values is faulty, None and a record of the others.

    Then every value is read alone too, beside those of `sound`, so that no fault hides another. A misspelt
    key is read as the one that it resembles, so that what is wrong with its value is found.
    """
    if not isinstance(table, Mapping):
        faults.sentences.append(f"{where} must be a table of keys and values; not {table!r}")
        return None, None
    known = {f.name: is_needed(f) for f in fields(cls)}  # type: ignore[arg-type]
    spelt = {k: v for k, v in table.items() if k in known or str(k).startswith("x_")}
    for key in table.keys() - spelt.keys():
        faults.sentences.append(str(unknown_name(f"key in {where}", str(key), list(known))))
        near = get_close_matches(str(key), known, n=1)
        spelt = dict.fromkeys(near, table[key]) | spelt
    needed = {name: spelt[name] for name, must in known.items() if must and name in spelt}
    with faults.collect():
        made = from_json(cls, spelt, where)
        check(made, where)
        return made, made
    good = {}
    for key, value in spelt.items():
        with faults.collect():
            check(from_json(cls, {**needed, **sound, key: value}, where), where)
            good[key] = value
    with suppress(InputError):
        return None, from_json(cls, good, where)
    return None, None


def _check_common(recipe: Recipe, where: str) -> None:
    if recipe.on_miss not in ON_MISS:
        raise InputError(
            f"{where}.on_miss must be one of {', '.join(ON_MISS)}; not {recipe.on_miss!r}"
        )
    if recipe.batch < 1 or recipe.retries < 0:
        raise InputError(f"{where}.batch must be 1 or more, and retries 0 or more")
    known = [*recipe.figures, "clipped_fraction"]
    for name in recipe.gates:
        if name not in known:
            raise unknown_name(f"figure of {where}.gates", name, known)
    wrong = {name: bound for name, bound in recipe.gates.items() if not bound >= 0}
    if wrong:
        raise InputError(f"{where}.gates must be largest values of 0 or more; not {wrong}")
