"""Files of syntheses: tensors and JSON without code, compared with the object that loads them."""

import math
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stimsynth.methods.base.state_tree import pack, unpack
from stimsynth.numerics.numbers import real_number
from stimuli_store.disk.archive import read_archive, write_archive
from stimuli_store.disk.stack import iterates_in
from stimuli_store.errors import ArchiveError, InputError
from stimuli_store.tools.environment import environment

SYNTHESIS_FORMAT = "stimsynth-synthesis/2"
#: Numbers of this size count as 0: they are rounding errors.
_ROUNDING = 1e-12


class LoadWarning(UserWarning):
    """Warning that a loaded file differs from the object that loads it.

    Examples
    --------
    >>> issubclass(LoadWarning, UserWarning)
    True
    """


@dataclass(frozen=True, kw_only=True)
class LoadChecks:
    """Tolerances for comparing a file with the object that loads it, and whether to raise errors.

    Attributes
    ----------
    raise_on_checks
        Whether a difference raises an error; if False, it gives a warning.
    atol, rtol
        Tolerances for tensors, as in `torch.allclose`.
    """

    raise_on_checks: bool = True
    atol: float = 1e-8
    rtol: float = 1e-5

    def __post_init__(self) -> None:
        real_number(self.atol, "tensor_equality_atol", 0)
        real_number(self.rtol, "tensor_equality_rtol", 0)


def save_synthesis(path: str | os.PathLike[str], kind: str, tree: Mapping[str, Any]) -> None:
    """Write the parts of a synthesis to a file, with the class name and the software versions.

    Parameters
    ----------
    path
        Path of the file. An existing file is replaced in one step, after the new one was read back.
    kind
        Name of the class.
    tree
        The parts by name: nested tensors, numbers and text (see `stimsynth.methods.base.state_tree`).

    Raises
    ------
    InputError
        If the folder does not exist, or a part has a value that a file cannot hold.
    """
    write_archive(path, *as_archive(kind, tree))


def as_archive(kind: str, tree: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return document and arrays of an archive that holds a synthesis, as `save_synthesis` writes it."""
    document, arrays = pack(tree)
    made_with = environment()
    header = {"format": SYNTHESIS_FORMAT, "class": kind, "made_with": made_with, "tree": document}
    return header, arrays


def load_synthesis(
    path: str | os.PathLike[str],
    kinds: Sequence[str],
    own: Mapping[str, Mapping[str, Any]],
    map_location: Any,
    checks: LoadChecks,
) -> dict[str, Any]:
    """Return the parts of a synthesis file, after comparing those in `own` with the object's.

    Parameters
    ----------
    path
        A file that `save_synthesis` wrote.
    kinds
        Names of the classes whose files the object can load, its own first.
    own
        The parts of the object that must agree with the file.
    map_location
        Device for tensors; None for the device from which they were saved.
    checks
        Tolerances, and whether a difference raises an error.

    Raises
    ------
    ArchiveError
        (a ValueError) if the file does not exist, is damaged, or is of another class or format.
    InputError
        (a ValueError) if image, model, loss or settings differ from the file's; always if a precision or
        device differs.
    """
    header, arrays = _opened(path)
    if header["class"] not in kinds:
        raise ArchiveError(
            f"{path} holds a {header['class']}; load it with a {header['class']}, not a {kinds[0]}"
        )
    try:
        tree = unpack(header["tree"], arrays, map_location)
    except (RuntimeError, AssertionError, TypeError) as error:  # torch raises these for a device
        place = "the device that it was saved from" if map_location is None else map_location
        raise InputError(
            f"{path} cannot be loaded to {place}, which this machine does not have; give map_location='cpu'"
        ) from error
    for part, values in own.items():
        for name in {**values, **tree[part]}:
            _compare(f"{path} and this object differ: {name}", name, tree[part], values, checks)
    return tree


def examine_saved_synthesis(path: str | os.PathLike[str], map_location: Any = None) -> None:
    """Print the class, software versions, seed and tensor shapes of a synthesis file.

    Parameters
    ----------
    path
        A file written by ``save``, or a progress file of ``synthesize``, also one that a killed process left.
    map_location
        Ignored, since nothing is put on a device; accepted for scripts that give it.

    Raises
    ------
    ArchiveError
        If the file does not exist, or is not of a synthesis.

    Examples
    --------
    >>> import tempfile
    >>> from stimsynth import Gaussian, Metamer, images, remove_grad
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Metamer(images.load("camera", size=32), remove_grad(Gaussian(5))).save(f"{folder}/m.h5")
    ...     examine_saved_synthesis(f"{folder}/m.h5")  # doctest: +ELLIPSIS
    Metamer, made with stimsynth ..., python ..., numpy ..., platform ..., torch ..., threads ...
      settings.image: float32 (1, 1, 32, 32)
    ...
    """
    header, arrays = _opened(path)
    made = ", ".join(f"{name} {value}" for name, value in header["made_with"].items())
    lines = [f"{header['class']}, made with {made}"]
    lines += [f"  {line}" for line in _lines("", unpack(header["tree"], arrays, "cpu"))]
    if kept := iterates_in(path):
        lines.append(f"  iterates: {len(kept)}, from {kept[0]} to {kept[-1]}")
    # Names of penalties may have characters that the terminal cannot show.
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    text = "\n".join(lines).encode(encoding, "backslashreplace").decode(encoding)
    print(text)  # noqa: T201  (printing is what it is for)


def _opened(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    header, arrays = read_archive(path)
    if header.get("format") != SYNTHESIS_FORMAT:
        raise ArchiveError(
            f"{path} has format {header.get('format')!r}; this version reads {SYNTHESIS_FORMAT!r} only"
        )
    return header, arrays


def _compare(
    sentence: str, name: str, saved: Mapping[str, Any], own: Mapping[str, Any], checks: LoadChecks
) -> None:
    """Raise an error, or warn, if the saved value `name` differs from the object's own."""
    if name in saved and name in own:
        differ = difference(saved[name], own[name], checks)
    else:
        differ = "is in one of them only"
    if differ and checks.raise_on_checks:
        raise InputError(
            f"{sentence} {differ}; make the object with the arguments of the one that was saved"
        )
    if differ:
        warnings.warn(f"{sentence} {differ}", LoadWarning, stacklevel=4)


def difference(saved: Any, own: Any, checks: LoadChecks) -> str:
    """Return a phrase that describes how two values differ; empty if they do not.

    Raises
    ------
    InputError
        If two tensors differ in precision or device.

    Examples
    --------
    >>> difference({"a": 1.0}, {"a": 1.0 + 1e-9}, LoadChecks())
    ''
    >>> difference([2, 3], [2, 4], LoadChecks())
    'was 3 and is 4'
    """
    if isinstance(saved, Tensor) and isinstance(own, Tensor):
        return _tensor_difference(saved, own, checks)
    if isinstance(saved, Tensor) or isinstance(own, Tensor):
        return "is in one of them only"
    if isinstance(saved, Mapping) and isinstance(own, Mapping) and list(saved) == list(own):
        saved, own = list(saved.values()), list(own.values())
    if isinstance(saved, list | tuple) and isinstance(own, list | tuple) and len(saved) == len(own):
        pairs = zip(saved, own, strict=True)
        return next((d for pair in pairs if (d := difference(*pair, checks))), "")
    if isinstance(saved, float) and isinstance(own, float):
        alike = math.isclose(saved, own, rel_tol=checks.rtol, abs_tol=_ROUNDING)
    else:
        alike = saved == own
    return "" if alike or repr(saved) == repr(own) else f"was {saved!r} and is {own!r}"


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
