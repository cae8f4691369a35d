"""Layers of deep networks as models: the output of any `torch.nn.Module` at named layers."""

import copy
import difflib
from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stimsynth.models.layer_outputs import LayerOutputs
from stimsynth.transforms.filters import kernel_pair
from stimsynth.validate import remove_grad
from stimsynth.validate.gates import some_numbers
from stimsynth.validate.images import real_images, unbatched_too
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.gates import a_list, briefly
from stimuli_store.tools.whole import whole

PerChannel = float | Sequence[float]
Step = Callable[[Tensor], Tensor]


def features(
    module: nn.Module,
    layer: str | Sequence[str],
    *,
    preprocess: Step | None = None,
    channels: int | None = None,
    mean: PerChannel | None = None,
    std: PerChannel | None = None,
    size: int | tuple[int, int] | None = None,
    image_shape: Sequence[int] | None = None,
) -> nn.Module:
    r"""Return a model that maps images to the output of one or several layers of a network.

    The network is traced and its graph is cut at the layer, so that nothing after it is computed and the
    model is a pure function (for `torch.func` and `torch.compile`). If the trace would fail or compute
    another function, the network itself is run up to the layer, with a hook that exists only during the
    call. This happens if the code before the layer branches on values, switches gradients or autocast,
    creates tensors or random numbers; if a traced module has hooks; or if the network object overrides the
    `forward` or `__call__` of its class. The attribute `cut` tells which of the two is used.

    The model is a copy in evaluation mode with frozen parameters; `module` is not changed. For a layer that
    the network calls several times, the model returns the output of the first call.

    Preprocessing is applied in the order `size`, `channels`, `mean` and `std`, `preprocess`.

    Parameters
    ----------
    module
        Any network whose first argument is an image (batch, channel, height, width).
    layer
        Name of the layer, as in ``dict(module.named_modules())``, for instance ``"layer2.0.conv1"``; any
        name if it has several. Or a list of names, all different.
    preprocess
        Any differentiable function of the image.
    channels
        Number of channels to which a grey image is expanded; an image that has as many is not changed.
    mean, std
        Numbers to subtract and divide by, per channel. Networks trained on ImageNet mostly use
        ``mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)``.
    size
        (height, width), or side of a square, to resize to by bilinear interpolation with anti-aliasing.
    image_shape
        For a list of layers: shape of the images, (…, channel, height, width), such as ``image.shape``.

    Returns
    -------
    nn.Module
        Maps images to the layer's output, (b, c, h, w) or (b, c, n); a layer of shape (b, n) gives
        (b, 1, n). For a list of layers, all outputs one after another, (b, 1, n): the model's
        `convert_to_dict` returns each layer's output by name, and `convert_to_tensor` is the inverse.

    Raises
    ------
    InputError
        If there is no such layer (the error names the nearest), a list names none or one twice or has no
        `image_shape`, or (when the model is called) if the layer returns no tensor, is not reached, or
        returns another number of dimensions.

    Notes
    -----
    With torchvision, ``features(torchvision.models.resnet18(weights="DEFAULT"), "layer1.1.conv2",
    channels=3, mean=…, std=…)``; with timm, ``features(timm.create_model("resnet18", pretrained=True),
    "layer1.1.conv2", …)``, where ``timm.data.resolve_model_data_config`` has the mean and the std.

    A wrapper class that counts through the children of one family of networks
    (``NthLayer(vgg16, layer=3)``) is ``features(vgg16, "features.3")`` here, and works for any network.

    Torch's fast attention has no second and no forward-mode derivative. All synthesis here does without it
    where it needs these; for `torch.func.jvp` of your own, say, run the model inside
    `stimsynth.numerics.attention.differentiable_attention`.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(7200, 5))
    >>> model = features(network, "1", channels=3, mean=0.5, std=0.25)
    >>> model(torch.rand(2, 1, 32, 32)).shape
    torch.Size([2, 8, 30, 30])
    >>> model = features(network, ["1", "3"], channels=3, image_shape=(1, 32, 32))
    >>> {name: tuple(x.shape) for name, x in model.convert_to_dict(model(torch.rand(2, 1, 32, 32))).items()}
    {'1': (2, 8, 30, 30), '3': (2, 1, 5)}
    """
    frozen = remove_grad(copy.deepcopy(module)).eval()
    steps = [
        step
        for step in (_resize(size), _repeat(channels), _normalize(mean, std), preprocess)
        if step is not None
    ]
    if isinstance(layer, str):
        return Features(LayerOutputs(frozen, _known(module, [layer])), steps)
    return SeveralFeatures(LayerOutputs(frozen, _known(module, layer)), steps, image_shape)


def _known(module: nn.Module, layers: Sequence[str]) -> list[str]:
    """Return names of layers, after checking that the network has them."""
    names = [name for name, _ in module.named_modules(remove_duplicate=False) if name]
    layers = a_list(layers, "layer, if not one name,")
    for layer in layers:
        if layer not in names:
            nearest = difflib.get_close_matches(str(layer), names, n=6, cutoff=0)
            raise unknown_name(f"layer of {type(module).__name__}", layer, [*nearest, "…"])
    if not layers or len(set(layers)) < len(layers):
        raise InputError(f"layers must be named once each, at least one; not {list(layers)}")
    return list(layers)


class Features(nn.Module):
    """Model that maps images to the output of a network's layer, after preprocessing (see `features`).

    Attributes
    ----------
    layer
        Name of the layer.
    cut
        Whether the network's graph is cut at the layer; else the network is run with a hook.
    """

    def __init__(self, outputs: LayerOutputs, steps: Sequence[Step]) -> None:
        super().__init__()
        (self.layer,) = outputs.layers
        self.cut = outputs.cut
        self.outputs = outputs
        self._steps = tuple(steps)

    @unbatched_too
    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output for images `x` (b, c, h, w): (b, c, h, w) or (b, c, n)."""
        (output,) = self.outputs(_prepared(x, self._steps))
        return _checked(output, self.layer)


class SeveralFeatures(nn.Module):
    """Model that maps images to the outputs of several layers, after preprocessing (see `features`).

    Attributes
    ----------
    layers
        Names of the layers.
    cut
        Whether the network's graph is cut at the layers; else the network is run with hooks.
    shapes
        Shape of each layer's output for one image.
    """

    def __init__(
        self, outputs: LayerOutputs, steps: Sequence[Step], image_shape: Sequence[int] | None
    ) -> None:
        super().__init__()
        self.layers, self.cut, self.outputs = outputs.layers, outputs.cut, outputs
        self._steps = tuple(steps)
        image = _grey(image_shape, outputs)
        with torch.no_grad():
            self.shapes = tuple(tuple(x.shape[1:]) for x in self._each(image))

    @unbatched_too
    def forward(self, x: Tensor) -> Tensor:
        """Return the layers' outputs one after another, shape (b, 1, n), for images `x` (b, c, h, w)."""
        return torch.cat([output.flatten(1) for output in self._each(x)], dim=1).unsqueeze(1)

    def convert_to_dict(self, representation_tensor: Tensor) -> dict[str, Tensor]:
        """Return each layer's output by name, (b, c, h, w) or (b, c, n).

        Raises
        ------
        InputError
            If the vector is not of images of the shape that the model was made for.
        """
        sizes = [torch.Size(shape).numel() for shape in self.shapes]
        if representation_tensor.dim() != 3 or representation_tensor.shape[1:] != (1, sum(sizes)):
            raise InputError(
                f"the outputs of these layers have shape (batch, 1, {sum(sizes)}); not "
                f"{tuple(representation_tensor.shape)}: give features the image_shape of your images"
            )
        parts = representation_tensor[:, 0].split(sizes, dim=1)
        outputs = (part.unflatten(1, shape) for part, shape in zip(parts, self.shapes, strict=True))
        return dict(zip(self.layers, outputs, strict=True))

    def convert_to_tensor(self, representation_dict: Mapping[str, Tensor]) -> Tensor:
        """Return a dictionary of `convert_to_dict` as a representation (b, 1, n).

        Raises
        ------
        InputError
            If the dictionary has other names.
        """
        if set(representation_dict) != set(self.layers):
            raise InputError(
                f"the layers are {', '.join(self.layers)}; not {', '.join(map(str, representation_dict))}"
            )
        parts = [representation_dict[layer].flatten(1) for layer in self.layers]
        return torch.cat(parts, dim=1).unsqueeze(1)

    def _each(self, x: Tensor) -> list[Tensor]:
        outputs = self.outputs(_prepared(x, self._steps))
        return [_checked(one, name) for one, name in zip(outputs, self.layers, strict=True)]


def _prepared(x: Tensor, steps: Sequence[Step]) -> Tensor:
    real_images(x, "this network", fourier=False)
    # Copied for networks whose first layer overwrites its input.
    return reduce(lambda image, step: step(image), steps, x.clone())


def _checked(output: object, layer: str) -> Tensor:
    if not isinstance(output, Tensor):
        raise InputError(
            f"layer {layer!r} returns {type(output).__name__}, but a model must return a tensor; "
            "name a layer inside it that returns one"
        )
    if output.dim() == 2:
        return output.unsqueeze(1)
    if output.dim() not in (3, 4):
        raise InputError(
            f"layer {layer!r} returns shape {tuple(output.shape)}; it must be "
            "(batch, channel, height, width), (batch, channel, n) or (batch, n)"
        )
    return output


def _grey(image_shape: Sequence[int] | None, outputs: LayerOutputs) -> Tensor:
    """Return a grey image of a shape, in the precision and on the device of a network."""
    if image_shape is None or len(image_shape) < 3:
        raise InputError(
            "several layers need image_shape, the shape (channel, height, width) of the images; not "
            f"{briefly(image_shape)}"
        )
    like = next(outputs.parameters(), torch.empty(0))
    sides = [whole(side, "image_shape", 1) for side in list(image_shape)[-3:]]
    return torch.full((1, *sides), 0.5, dtype=like.dtype, device=like.device)


def _resize(size: int | tuple[int, int] | None) -> Step | None:
    if size is None:
        return None
    return partial(
        F.interpolate, size=kernel_pair(size), mode="bilinear", align_corners=False, antialias=True
    )


def _repeat(channels: int | None) -> Step | None:
    return None if channels is None else partial(_repeated, channels=whole(channels, "channels", 1))


def _repeated(x: Tensor, channels: int) -> Tensor:
    if x.shape[1] not in (1, channels):
        raise InputError(f"this network takes images of 1 or {channels} channels; not {x.shape[1]}")
    return x.expand(-1, channels, -1, -1)


def _normalize(mean: PerChannel | None, std: PerChannel | None) -> Step | None:
    if mean is None and std is None:
        return None
    shift, scale = 0.0 if mean is None else mean, 1.0 if std is None else std
    if not bool((some_numbers(scale, "std") > 0).all()):
        raise InputError(f"std must be positive; not {briefly(std)}")
    return partial(_normalized, mean=shift, std=scale)


def _normalized(x: Tensor, mean: PerChannel, std: PerChannel) -> Tensor:
    low, unit = (
        torch.as_tensor(v, dtype=x.dtype, device=x.device).reshape(-1, 1, 1) for v in (mean, std)
    )
    if not {len(low), len(unit)} <= {1, x.shape[1]}:
        raise InputError(
            f"mean and std must be one number or {x.shape[1]}, the number of channels; "
            f"not {briefly(mean)} and {briefly(std)}"
        )
    return (x - low) / unit
