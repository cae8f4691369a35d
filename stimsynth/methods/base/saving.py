"""A synthesis in a file: tensors and JSON, no code; and the checks that bring it back to the right place."""

import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from stimsynth.methods.base.state_tree import pack, unpack
from stimuli_store.disk.archive import read_archive, write_archive
from stimuli_store.errors import ArchiveError, InputError
from stimuli_store.tools.environment import environment

SYNTHESIS_FORMAT = "stimsynth-synthesis/1"


class LoadWarning(UserWarning):
    """A file was loaded into an object that it does not quite fit."""


@dataclass(frozen=True, kw_only=True)
class LoadChecks:
    """How alike a file and the object that loads it must be.

    Attributes
    ----------
    raise_on_checks
        Raise an error where they differ; False for a warning.
    atol, rtol
        Tolerances for tensors, as in `torch.allclose`.
    """

    raise_on_checks: bool = True
    atol: float = 1e-8
    rtol: float = 1e-5


def save_synthesis(
    path: str | os.PathLike[str], kind: str, identity: Mapping[str, Any], content: Any
) -> None:
    """Write a synthesis.

    Parameters
    ----------
    path
        Where; an earlier file of this name is replaced in one step.
    kind
        Name of the class.
    identity
        What an object has to share with the file to load it: tensors, numbers, text.
    content
        All else, as a tree (see `stimsynth.methods.base.state_tree`).

    Raises
    ------
    InputError
        If the folder is not there, or something cannot be put in a file.
    """
    document, arrays = pack({"identity": dict(identity), "content": content})
    header = {
        "format": SYNTHESIS_FORMAT,
        "class": kind,
        "made_with": environment(),
        "tree": document,
    }
    write_archive(path, header, arrays)


def load_synthesis(
    path: str | os.PathLike[str],
    kind: str,
    identity: Mapping[str, Any],
    map_location: Any = None,
    checks: LoadChecks | None = None,
    used: bool = False,
) -> Any:
    """Return the content of a file, after comparing its identity with that of the object.

    Parameters
    ----------
    path, kind, identity
        As for `save_synthesis`, the last two from the object that loads.
    map_location
        Device for tensors; None for the one that they were saved from.
    checks
        Tolerances, and what a difference does.
    used
        Whether the object has something of its own already that a file would overwrite.

    Raises
    ------
    ArchiveError
        (a ValueError) if there is no such file, it is damaged, or of another class or format.
    InputError
        (a ValueError) if image, model, loss or settings are not those of the file; always if a precision
        or device differs.
    """
    if used:
        raise InputError(
            "load takes an object that was just made; synthesize was called on this one"
        )
    header, arrays = _opened(path)
    if header["class"] != kind:
        raise ArchiveError(
            f"{path} holds a {header['class']}; load it with a {header['class']}, not a {kind}"
        )
    try:
        tree = unpack(header["tree"], arrays, map_location)
    except (RuntimeError, AssertionError, TypeError) as error:  # what torch raises for a device
        place = "the device that it was saved from" if map_location is None else map_location
        raise InputError(
            f"{path} cannot be loaded to {place}, which this machine has not; give map_location='cpu'"
        ) from error
    for name in {**identity, **tree["identity"]}:
        if name not in identity or name not in tree["identity"]:
            differ = "is in one of them only"
        else:
            differ = _difference(tree["identity"][name], identity[name], checks or LoadChecks())
        if differ:
            _refuse(f"{path} and this object differ: {name} {differ}", checks or LoadChecks())
    return tree["content"]


def examine_saved_synthesis(path: str | os.PathLike[str], map_location: Any = None) -> None:
    """Print what a file of a synthesis holds: class, versions, and the shape of every tensor.

    Parameters
    ----------
    path
        A file written by ``save``.
    map_location
        Not needed: nothing is put on a device. Kept for scripts that give it.

    Raises
    ------
    ArchiveError
        If there is no such file, or it is not one.

    Examples
    --------
    >>> import tempfile
    >>> from stimsynth import Gaussian, Metamer, images, remove_grad
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Metamer(images.load("camera", size=32), remove_grad(Gaussian(5))).save(f"{folder}/m.h5")
    ...     examine_saved_synthesis(f"{folder}/m.h5")  # doctest: +ELLIPSIS
    Metamer, made with stimsynth ..., python ..., numpy ..., platform ..., torch ..., threads ...
      identity.image: float32 (1, 1, 32, 32)
    ...
    """
    header, arrays = _opened(path)
    made = ", ".join(f"{name} {value}" for name, value in header["made_with"].items())
    print(f"{header['class']}, made with {made}")  # noqa: T201  (printing is what it is for)
    for line in _lines("", unpack(header["tree"], arrays, "cpu")):
        print(f"  {line}")  # noqa: T201


def function_identity(function: Callable[..., Tensor], *arguments: Tensor) -> dict[str, Any]:
    """Return a function's name and its value on tensors that both sides have: enough to tell it apart."""
    with torch.no_grad():
        return {"name": function_name(function), "value": function(*arguments)}


def function_name(function: Any) -> str:
    """Return how a function or module is called."""
    return getattr(function, "__name__", type(function).__name__)


def _opened(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    header, arrays = read_archive(path)
    if header.get("format") != SYNTHESIS_FORMAT:
        raise ArchiveError(
            f"{path} is of format {header.get('format')!r}; this reads {SYNTHESIS_FORMAT!r}"
        )
    return header, arrays


def _refuse(sentence: str, checks: LoadChecks) -> None:
    if checks.raise_on_checks:
        raise InputError(f"{sentence}. Make the object with the arguments it was saved with")
    warnings.warn(sentence, LoadWarning, stacklevel=4)


def _difference(saved: Any, own: Any, checks: LoadChecks) -> str:
    """Return in what two values differ, empty if in nothing."""
    if isinstance(saved, Tensor) and isinstance(own, Tensor):
        return _tensor_difference(saved, own, checks)
    if isinstance(saved, Mapping) and isinstance(own, Mapping) and saved.keys() == own.keys():
        return next((d for k in saved if (d := _difference(saved[k], own[k], checks))), "")
    if isinstance(saved, list | tuple) and isinstance(own, list | tuple) and len(saved) == len(own):
        return next(
            (d for a, b in zip(saved, own, strict=True) if (d := _difference(a, b, checks))), ""
        )
    return "" if saved == own else f"was {saved!r} and is {own!r}"


def _tensor_difference(saved: Tensor, own: Tensor, checks: LoadChecks) -> str:
    if saved.dtype != own.dtype or saved.device != own.device:
        raise InputError(
            f"the file holds {saved.dtype} on {saved.device}, this object {own.dtype} on {own.device}; "
            "convert the object with .to() first, or load with map_location"
        )
    if saved.shape != own.shape:
        return f"has shape {tuple(saved.shape)} in the file and {tuple(own.shape)} here"
    if torch.allclose(saved, own, atol=checks.atol, rtol=checks.rtol, equal_nan=True):
        return ""
    return f"differs by up to {float((saved - own).abs().max()):g}"


def _lines(name: str, tree: Any) -> list[str]:
    if isinstance(tree, Tensor):
        return [f"{name}: {str(tree.dtype).removeprefix('torch.')} {tuple(tree.shape)}"]
    if isinstance(tree, Mapping):
        return [x for k, v in tree.items() for x in _lines(f"{name}.{k}".lstrip("."), v)]
    return [f"{name}: {tree!r}"]
