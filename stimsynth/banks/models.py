"""Models by class name, as in plans and banks."""

import hashlib
import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from stimsynth.models import MODELS
from stimsynth.validate import remove_grad
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.records.spec import ModelRef


def make_model(name: str, params: Mapping[str, Any]) -> nn.Module:
    """Return a model made from its class name and its constructor's arguments, ready for synthesis.

    Its parameters do not change, so it caches its filters (``cache_filt=True``) unless `params` says
    otherwise. That changes no result, and a bank does not record it.

    Raises
    ------
    InputError
        If the name or an argument is unknown (the error names the nearest), or a value is refused.

    Examples
    --------
    >>> make_model("UniformPooling", {"window_px": 8}).window_px
    8.0
    """
    if name not in MODELS:
        raise unknown_name("model", name, sorted(MODELS))
    known = list(inspect.signature(MODELS[name]).parameters)
    for key in params:
        if key not in known:
            raise unknown_name(f"argument of {name}", key, known)
    kept = {"cache_filt": True} if "cache_filt" in known else {}
    try:
        model = MODELS[name](**{**kept, **params})
    except InputError:
        raise
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} cannot be made from {dict(params)}: {error}") from error
    return remove_grad(model).eval()


def reference_to(label: str, name: str, params: Mapping[str, Any], model: nn.Module) -> ModelRef:
    """Return the reference to a model for a bank: label, class name, arguments, hash of its weights."""
    return ModelRef(
        label=label, name=name, params=dict(params), weights_sha256=weights_sha256(model)
    )


def weights_sha256(model: nn.Module) -> str:
    """Return the SHA-256 of a model's parameters and buffers: names, types, shapes and values."""
    digest = hashlib.sha256()
    for key, value in sorted(model.state_dict().items()):
        array = value.detach().cpu().contiguous()
        digest.update(f"{key} {array.dtype} {tuple(array.shape)}\n".encode())
        digest.update(array.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
