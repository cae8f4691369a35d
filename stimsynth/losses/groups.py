"""Losses in which each group of statistics of a model's output has its weight."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from stimsynth.losses.differences import output_difference
from stimsynth.validate.images import checked_tensor
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.gates import a_mapping, optional, takes

_PIXELS, _HIGHPASS = "pixel_statistics", "var_highpass_residual"


@takes(reweighting_dict=optional(a_mapping))
def groupwise_relative_l2_norm_factory(
    model: Any, image: Tensor, reweighting_dict: Mapping[str, Tensor | float] | None = None
) -> Callable[..., Tensor]:
    r"""Return a loss in which every group of a model's output has the same weight, whatever its units.

    Computes :math:`\Big(\sum_g \sum_i w_{gi}^2 (x_{gi} - \hat{x}_{gi})^2 / \lVert x_g \rVert_2^2\Big)^{1/2}`,
    where x is the output for `image`. Entries that are NaN in the dictionary are left out, and a group whose
    norm is 0 is not divided.

    Parameters
    ----------
    model
        Model whose `convert_to_dict` returns its output as a dictionary with a tensor for each group, and
        whose `convert_to_tensor` is the inverse; for instance `stimsynth.PortillaSimoncelli`, or
        `stimsynth.features` of several layers.
    image
        One image, shape (1, channel, height, width); as a rule the target.
    reweighting_dict
        Factors w of groups by name: numbers, or tensors that broadcast to the group; 1 for the others.

    Returns
    -------
    Callable
        A module of two outputs, shape (1, …) each, that returns a scalar.

    Raises
    ------
    InputError
        If the model has no such methods or they are not inverse, a group is unknown, a factor does not fit,
        or there are several images.

    Examples
    --------
    >>> from stimsynth import PortillaSimoncelli, images
    >>> model, grass = PortillaSimoncelli((32, 32), n_scales=2), images.load("grass", size=32)
    >>> loss = groupwise_relative_l2_norm_factory(model, grass)
    >>> groups = len(model.convert_to_dict(model(grass)))
    >>> round(float(loss(model(grass), 0 * model(grass)) ** 2), 4) == groups
    True
    """
    output, groups = _groups_of(model, image)
    factors = _factors(groups, reweighting_dict or {})
    for name, values in groups.items():
        norm = torch.linalg.vector_norm(values[~values.isnan()])
        factors[name] = factors[name] / (norm if norm > 0 else 1)
    return _WeightedNorm(model.convert_to_tensor(factors).to(output.device))


@takes(reweighting_dict=optional(a_mapping))
def portilla_simoncelli_loss_factory(
    model: Any, image: Tensor, reweighting_dict: Mapping[str, Tensor | float] | None = None
) -> Callable[..., Tensor]:
    r"""Return the loss for texture metamers that leaves out extreme pixels and stresses fine detail.

    Computes the Euclidean norm of the weighted difference of the statistics. The least and the largest pixel,
    of which no gradient is of use, have weight 0; the variance of the high-pass residual, which is small, has
    weight 100; all others have weight 1.

    Parameters
    ----------
    model
        `stimsynth.PortillaSimoncelli`, or a model with the same groups of statistics.
    image, reweighting_dict
        As for `groupwise_relative_l2_norm_factory`; a factor that is given replaces the one above.

    Returns
    -------
    Callable
        A module of two outputs, shape (1, …) each, that returns a scalar.

    Raises
    ------
    InputError
        As for `groupwise_relative_l2_norm_factory`, and if the model has no such groups.

    Examples
    --------
    >>> from stimsynth import Metamer, PortillaSimoncelli, images
    >>> model, grass = PortillaSimoncelli((32, 32), n_scales=2), images.load("grass", size=32)
    >>> loss = portilla_simoncelli_loss_factory(model, grass)
    >>> met = Metamer(grass, model, loss_function=loss, seed=0)
    >>> met.synthesize(max_iter=5)
    >>> bool(met.losses[-1] < met.losses[0])
    True
    """
    output, groups = _groups_of(model, image)
    given = dict(reweighting_dict or {})
    sizes = {_PIXELS: 6, _HIGHPASS: 1}
    for name, size in sizes.items():
        if name not in given and (name not in groups or groups[name].shape[-1] != size):
            raise InputError(
                f"this loss is for a model with a group {name!r} of {size}; this model has "
                f"{', '.join(groups)}: use groupwise_relative_l2_norm_factory"
            )
    kept = torch.tensor([1.0, 1.0, 1.0, 1.0, 0.0, 0.0])
    factors = _factors(groups, {_PIXELS: kept, _HIGHPASS: 100.0, **given})
    return _WeightedNorm(model.convert_to_tensor(factors).to(output.device))


class _WeightedNorm(nn.Module):
    """The norm of the weighted difference of two outputs; a module, so that it moves with a model."""

    weights: Tensor

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.register_buffer("weights", weights)

    def forward(self, synth_rep: Tensor, ref_rep: Tensor, **kwargs: object) -> Tensor:
        return torch.linalg.vector_norm(self.weights * output_difference(synth_rep, ref_rep))


def _groups_of(model: Any, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the output of a model for one image, and its groups by name."""
    if not (hasattr(model, "convert_to_dict") and hasattr(model, "convert_to_tensor")):
        raise InputError(
            "groups of an output need a model with the methods convert_to_dict and convert_to_tensor; "
            f"{type(model).__name__} has not both"
        )
    if len(checked_tensor(image, "a loss of groups", "(1, channel, height, width)")) != 1:
        raise InputError(f"a loss of groups is made for one image; not for {len(image)}")
    with torch.no_grad():
        output = model(image)
    groups = dict(model.convert_to_dict(output))
    if not torch.equal(model.convert_to_tensor(groups), output):
        raise InputError(
            f"convert_to_tensor of {type(model).__name__} does not undo its convert_to_dict"
        )
    return output, groups


def _factors(
    groups: Mapping[str, Tensor], given: Mapping[str, Tensor | float]
) -> dict[str, Tensor]:
    """Return a factor for every entry of every group."""
    for name in given:
        if name not in groups:
            raise unknown_name("group", name, list(groups))
    found = {}
    for name, values in groups.items():
        factor = torch.as_tensor(given.get(name, 1.0)).to(values)
        try:
            found[name] = factor.expand_as(values).clone()
        except RuntimeError as error:
            raise InputError(
                f"the factor of {name!r} must broadcast to {tuple(values.shape)}; its shape is "
                f"{tuple(factor.shape)}"
            ) from error
    return found
