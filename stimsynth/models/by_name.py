"""Models by the name of their class, for plans and banks."""

import inspect
from collections.abc import Mapping

from torch import nn

from stimsynth import models


def _made_from_numbers(name: str) -> bool:
    found = getattr(models, name)
    return inspect.isclass(found) and "model" not in inspect.signature(found).parameters


MODELS: Mapping[str, type[nn.Module]] = {
    name: getattr(models, name)
    for name in dir(models)
    if name != "MODELS" and _made_from_numbers(name)
}
