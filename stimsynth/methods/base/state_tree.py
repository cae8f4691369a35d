"""Nested records of tensors and numbers: conversion to JSON with arrays, and mapping over tensors."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stimuli_store.errors import InputError

_PLAIN = (str, bool, int, type(None))
# A dtype that numpy does not have is stored as one that holds its values exactly.
_VIA = {torch.bfloat16: torch.float32}


def map_tensors(tree: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Return `tree` with `change` applied to every tensor in it.

    Examples
    --------
    >>> map_tensors({"a": [torch.ones(1), 3]}, lambda x: x * 2)
    {'a': [tensor([2.]), 3]}
    """
    if isinstance(tree, Tensor):
        return change(tree)
    if isinstance(tree, Mapping):
        return {key: map_tensors(value, change) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(map_tensors(value, change) for value in tree)
    return tree


def pack(tree: Any) -> tuple[Any, dict[str, np.ndarray]]:
    """Return `tree` as a JSON document, and the arrays that it refers to by name.

    A tensor becomes ``{"tensor": name, "dtype": …, "device": …}``; a dict becomes a list of pairs, since
    its keys may be numbers; a tuple stays one.

    Raises
    ------
    InputError
        If the tree holds anything but tensors, numbers, text, and dicts, lists and tuples of them.
    """
    arrays: dict[str, np.ndarray] = {}
    return _packed(tree, arrays, "it"), arrays


def unpack(document: Any, arrays: Mapping[str, np.ndarray], device: Any = None) -> Any:
    """Return the tree that `pack` converted to `document` and `arrays`.

    Parameters
    ----------
    document, arrays
        As returned by `pack`.
    device
        Device for tensors; None for the one of each tensor when it was packed.
    """
    if not isinstance(document, dict):
        return document
    ((kind, content),) = (item for item in document.items() if item[0] not in ("dtype", "device"))
    if kind == "tensor":
        tensor = torch.from_numpy(np.array(arrays[content])).to(getattr(torch, document["dtype"]))
        return tensor.to(document["device"] if device is None else device)
    if kind == "float":
        return float(content)
    if kind == "dict":
        return {key: unpack(value, arrays, device) for key, value in content}
    sequence = [unpack(value, arrays, device) for value in content]
    return tuple(sequence) if kind == "tuple" else sequence


def _packed(tree: Any, arrays: dict[str, np.ndarray], name: str) -> Any:
    if isinstance(tree, _PLAIN):
        return tree
    if isinstance(tree, float):  # repr is exact, and can express nan and inf, which JSON cannot
        return {"float": repr(float(tree))}
    if isinstance(tree, Tensor):
        key = f"{len(arrays):05d}"
        on_cpu = tree.detach().cpu()
        arrays[key] = on_cpu.to(_VIA.get(tree.dtype, tree.dtype)).numpy()
        dtype = str(tree.dtype).removeprefix("torch.")
        return {"tensor": key, "dtype": dtype, "device": str(tree.device)}
    if isinstance(tree, Mapping):
        pairs = [[key, _packed(value, arrays, f"{name}[{key!r}]")] for key, value in tree.items()]
        return {"dict": pairs}
    if isinstance(tree, list | tuple):
        kind = "tuple" if isinstance(tree, tuple) else "list"
        return {kind: [_packed(v, arrays, f"{name}[{i}]") for i, v in enumerate(tree)]}
    raise InputError(
        f"{name} is a {type(tree).__name__} and cannot be saved; a file can hold tensors, numbers, text, and "
        "dicts, lists and tuples of them, but no code"
    )
