"""Reading of PLAN.toml, the list of stimuli to make; all faults are reported together."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stimsynth.banks.models import ModelPlan
from stimsynth.banks.recipe import Recipe, recipe_class
from stimuli_store.bank.format import check_name, check_version
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.records.convert import from_json
from stimuli_store.records.toml_file import read_toml_table

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
    """

    images: tuple[str, ...]
    size: int | None = None
    colour: str = "gray"
    license: str = ""
    licenses: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.colour not in COLOURS:
            raise InputError(
                f"targets.colour must be one of {', '.join(COLOURS)}; not {self.colour!r}"
            )


@dataclass(frozen=True, kw_only=True)
class PredictPlan:
    """``[predict]``: labels of models and names of metrics whose predictions are stored."""

    models: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.models)) != len(self.models):
            raise InputError(f"predict.models must be different; not {list(self.models)}")


@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    """A plan: the bank, its targets, models, sets and predictions."""

    bank: BankPlan
    targets: TargetsPlan
    sets: tuple[Recipe, ...]
    models: Mapping[str, ModelPlan] = field(default_factory=dict)
    predict: PredictPlan = field(default_factory=PredictPlan)

    def __post_init__(self) -> None:
        for label in self.models:
            if not label.strip() or not label.isprintable():
                raise InputError(f"a model's label must be one line of text; not {label!r}")


#: Stands for a table [bank] with faults while others are looked for.
_UNREAD = BankPlan(name="unread", version="0.0.0", license="unread")


class Faults:
    """Faults that are found one by one and reported together.

    Parameters
    ----------
    where
        Words before the sentences, such as the name of the plan's file.
    """

    def __init__(self, where: str = "") -> None:
        self.where = where
        self.sentences: list[str] = []
        self.follow: list[
            str
        ] = []  # how sentences begin that only follow from a fault that is kept

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Keep the sentences of an `InputError` that is raised in the block."""
        try:
            yield
        except InputError as error:
            found = [line for line in str(error).splitlines() if line]
            self.sentences += [line for line in found if not line.startswith(tuple(self.follow))]

    def report(self) -> None:
        """Raise one `InputError` with all sentences, if there are any."""
        found = list(dict.fromkeys(self.sentences))
        if len(found) == 1:
            raise InputError(f"{self.where}{found[0]}")
        if found:
            lines = "".join(f"\n- {sentence}" for sentence in found)
            raise InputError(f"{self.where}{len(found)} faults:{lines}")


def read_plan(path: str | Path) -> BuildPlan:
    """Return the plan in a TOML file.

    Raises
    ------
    InputError
        If the file is missing or no TOML; or with all its faults: unknown, missing or mistyped keys, kinds
        that do not exist, …
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
    parts: dict[str, Any] = {"bank": _UNREAD}
    for key in table:
        if key not in _TABLES:
            faults.sentences.append(str(unknown_name("table of a plan", key, list(_TABLES))))
    for name, cls in (("bank", BankPlan), ("targets", TargetsPlan), ("predict", PredictPlan)):
        with faults.collect():
            if name in table:
                parts[name] = from_json(cls, table[name], f"[{name}]")
            elif name != "predict":
                raise InputError(f"the plan needs a table [{name}]")
    models = table.get("models", {})
    if not isinstance(models, Mapping):
        faults.sentences.append(f"models are tables [models.LABEL]; not {models!r}")
        models = {}
    parts["models"] = {}
    for label, entry in models.items():
        with faults.collect():
            parts["models"][label] = from_json(ModelPlan, entry, f"[models.{label}]")
        if label not in parts["models"]:
            faults.follow.append(f"unknown model or metric {label!r}")
    parts["sets"] = tuple(_recipes(table.get("sets", ()), faults))
    if report or "targets" not in parts:
        faults.report()
    return BuildPlan(**parts)


def _recipes(entries: Any, faults: Faults) -> Iterator[Recipe]:
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
            recipe = from_json(recipe_class(entry["kind"]), rest, where)
            _check_common(recipe, where)
            yield recipe


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
