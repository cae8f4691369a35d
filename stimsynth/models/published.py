"""Published parameters of front-end models, which were fitted to human data.

A. Berardino (2018), PhD thesis, New York University, Table 2: the four models of A. Berardino, J. Ballé,
V. Laparra & E. P. Simoncelli (2017), "Eigen-distortions of hierarchical representations", NeurIPS 30.
They were fitted with kernels of 31 × 31 and an amplitude ratio of 1.25.
"""

import warnings
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from torch import nn

from stimuli_store.errors import InputError, WrongType
from stimuli_store.tools.gates import briefly

KERNEL_SIZE = (31, 31)
NOT_CACHED = (
    "pretrained is True but cache_filt is False. Set cache_filt to True for efficiency unless you are "
    "fine-tuning."
)
PARAMETERS: Mapping[str, Mapping[str, Sequence[float]]] = MappingProxyType(
    {
        "LinearNonlinear": {
            "center_surround.center_std": (0.5339,),
            "center_surround.surround_std": (6.148,),
            "center_surround.amplitude_ratio": (1.25,),
        },
        "LuminanceGainControl": {
            "luminance_scalar": (14.95,),
            "luminance.std": (4.235,),
            "center_surround.center_std": (1.962,),
            "center_surround.surround_std": (4.235,),
            "center_surround.amplitude_ratio": (1.25,),
        },
        "LuminanceContrastGainControl": {
            "luminance_scalar": (2.94,),
            "contrast_scalar": (34.03,),
            "luminance.std": (170.99,),
            "contrast.std": (2.658,),
            "center_surround.center_std": (0.7363,),
            "center_surround.surround_std": (48.37,),
            "center_surround.amplitude_ratio": (1.25,),
        },
        "OnOff": {
            "luminance_scalar": (3.2637, 14.3961),
            "contrast_scalar": (7.3405, 16.7423),
            "luminance.std": (76.4, 2.184),
            "contrast.std": (7.49, 2.43),
            "center_surround.center_std": (1.237, 0.3233),
            "center_surround.surround_std": (30.12, 2.184),
            "center_surround.amplitude_ratio": (1.25,),
        },
    }
)


def load_published(model: nn.Module, name: str, pretrained: bool, cache_filt: bool) -> None:
    """Load the published parameters into a front-end model, in place, if `pretrained` is True.

    Parameters
    ----------
    model
        The model, or one of a class that is derived from it.
    name
        Key of `PARAMETERS`.
    pretrained, cache_filt
        Arguments of the model's constructor.

    Warns
    -----
    UserWarning
        If the model does not cache its filters, although published parameters do not change.

    Raises
    ------
    InputError
        If the kernels have another size than in the fit, or `pretrained` is not True or False.
    """
    if not isinstance(pretrained, bool):
        raise WrongType(
            f"pretrained must be True or False; not {briefly(pretrained)}. Give activation by its name"
        )
    if not pretrained:
        return
    kernel_size = model.get_submodule("center_surround").kernel_size
    if kernel_size != KERNEL_SIZE:
        raise InputError(
            f"pretrained parameters were fitted with kernels of {KERNEL_SIZE}; not {kernel_size}"
        )
    if not cache_filt:
        warnings.warn(NOT_CACHED, stacklevel=3)
    model.load_state_dict({key: torch.tensor(value) for key, value in PARAMETERS[name].items()})
