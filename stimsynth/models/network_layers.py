"""Layers of deep networks as models: the output of any `torch.nn.Module` at a named layer."""

import copy
import difflib
from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from stimsynth.transforms.filters import kernel_pair
from stimsynth.validate import remove_grad
from stimsynth.validate.images import real_images, unbatched_too
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.whole import whole

PerChannel = float | Sequence[float]


def features(
    module: nn.Module,
    layer: str,
    *,
    preprocess: Callable[[Tensor], Tensor] | None = None,
    channels: int | None = None,
    mean: PerChannel | None = None,
    std: PerChannel | None = None,
    size: int | tuple[int, int] | None = None,
) -> nn.Module:
    r"""Return a model that maps images to the output of one layer of a network.

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
        name if it has several.
    preprocess
        Any differentiable function of the image.
    channels
        Number of channels to which a grey image is expanded; an image that has as many is not changed.
    mean, std
        Numbers to subtract and divide by, per channel. Networks trained on ImageNet mostly use
        ``mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)``.
    size
        (height, width), or side of a square, to resize to by bilinear interpolation with anti-aliasing.

    Returns
    -------
    nn.Module
        Maps images to the layer's output, (b, c, h, w) or (b, c, n); a layer of shape (b, n) gives
        (b, 1, n).

    Raises
    ------
    InputError
        If there is no such layer (the error names the nearest), or (when the model is called) if the
        layer returns no tensor, is not reached, or returns another number of dimensions.

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
    """
    names = [name for name, _ in module.named_modules(remove_duplicate=False) if name]
    if layer not in names:
        nearest = difflib.get_close_matches(layer, names, n=6, cutoff=0)
        raise unknown_name(f"layer of {type(module).__name__}", layer, [*nearest, "…"])
    frozen = remove_grad(copy.deepcopy(module)).eval()
    steps = [
        step
        for step in (_resize(size), _repeat(channels), _normalize(mean, std), preprocess)
        if step is not None
    ]
    return Features(frozen, layer, steps)


class Features(nn.Module):
    """Model that maps images to the output of a network's layer, after preprocessing (see `features`).

    Attributes
    ----------
    layer
        Name of the layer.
    cut
        Whether the network's graph is cut at the layer; else the network is run with a hook.
    """

    def __init__(
        self, network: nn.Module, layer: str, steps: Sequence[Callable[[Tensor], Tensor]]
    ) -> None:
        super().__init__()
        self.layer = layer
        self._steps = tuple(steps)
        graph = _cut(network, layer)
        self.cut = graph is not None
        self.network = network if graph is None else graph

    @unbatched_too
    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output for images `x` (b, c, h, w): (b, c, h, w) or (b, c, n)."""
        real_images(x, "this network", fourier=False)
        # Copied for networks whose first layer overwrites its input.
        x = reduce(lambda image, step: step(image), self._steps, x.clone())
        return self._checked(self.network(x) if self.cut else _hooked(self.network, self.layer, x))

    def _checked(self, output: object) -> Tensor:
        if not isinstance(output, Tensor):
            raise InputError(
                f"layer {self.layer!r} returns {type(output).__name__}, but a model must return a tensor; "
                "name a layer inside it that returns one"
            )
        if output.dim() == 2:
            return output.unsqueeze(1)
        if output.dim() not in (3, 4):
            raise InputError(
                f"layer {self.layer!r} returns shape {tuple(output.shape)}; it must be "
                "(batch, channel, height, width), (batch, channel, n) or (batch, n)"
            )
        return output


class _Unfaithful(Exception):
    """Raised to end a trace that would compute another function than the network."""


class _Tracer(fx.Tracer):
    """Tracer that records a network's graph down to a layer, which is one node, as are torch's own modules.

    Every node stores in ``meta["faithful"]`` whether it does the same outside the code that made it.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer
        self.depth = _autocast_depth()

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if m is self.layer or super().is_leaf_module(m, module_qualified_name):
            return True
        if _has_hooks(m):
            raise _Unfaithful
        return False

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        node = super().create_node(*args, **kwargs)
        constant = node.op == "get_attr" and str(node.target).startswith("_tensor_constant")
        node.meta["faithful"] = (
            torch.is_grad_enabled() and _autocast_depth() == self.depth and not constant
        )
        return node


def _cut(network: nn.Module, layer: str) -> fx.GraphModule | None:
    """Return the graph of a network up to a layer's first call; None if the trace is not faithful."""
    wanted = network.get_submodule(layer)
    graph = _traced(network, wanted)
    if graph is None:
        return None
    nodes = list(graph.nodes)
    name = next(n for n, part in network.named_modules() if part is wanted)  # the trace's own
    call = next((n for n in nodes if (n.op, n.target) == ("call_module", name)), None)
    if call is None:
        return None
    kept = nodes[: nodes.index(call) + 1]
    if not all(node.meta["faithful"] for node in kept):
        return None
    graph, copies = fx.Graph(), dict[fx.Node, fx.Node]()
    for node in kept:
        copies[node] = graph.node_copy(node, copies.__getitem__)
    graph.output(copies[call])
    graph.lint()
    return fx.GraphModule(network, graph)


def _traced(network: nn.Module, layer: nn.Module) -> fx.Graph | None:
    own = "forward" in vars(network) or type(network).__call__ is not nn.Module.__call__
    if own or _has_hooks(network):
        return None
    state = torch.get_rng_state()
    try:
        with torch.enable_grad():
            graph = _Tracer(layer).trace(network)
    except Exception:  # noqa: BLE001  (code may raise anything for a symbol instead of a tensor)
        graph = None
    if not torch.equal(state, torch.get_rng_state()):  # random numbers would become constants
        torch.set_rng_state(state)
        return None
    return graph


def _has_hooks(module: nn.Module) -> bool:
    return any(
        (
            module._forward_pre_hooks,
            module._forward_hooks,
            module._backward_pre_hooks,
            module._backward_hooks,
        )
    )


def _autocast_depth() -> int:
    """Return the number of autocast blocks around the call (enabled or not), plus one."""
    depth = torch.autocast_increment_nesting()
    torch.autocast_decrement_nesting()
    return depth


def _hooked(network: nn.Module, layer: str, x: Tensor) -> object:
    """Return the output of a layer at its first call for `x`, without running the rest of the network."""
    caught: list[object] = []

    def catch(_module: nn.Module, _args: object, output: object) -> None:
        caught.append(output)
        raise _Reached

    handle = network.get_submodule(layer).register_forward_hook(catch)
    try:
        network(x)
    except _Reached:
        return caught[0]
    finally:
        handle.remove()
    raise InputError(f"layer {layer!r} is not reached for an image of shape {tuple(x.shape)}")


class _Reached(BaseException):  # so that no handler in a network catches it
    """Raised to end a run of a network at the requested layer."""


def _resize(size: int | tuple[int, int] | None) -> Callable[[Tensor], Tensor] | None:
    if size is None:
        return None
    return partial(
        F.interpolate, size=kernel_pair(size), mode="bilinear", align_corners=False, antialias=True
    )


def _repeat(channels: int | None) -> Callable[[Tensor], Tensor] | None:
    return None if channels is None else partial(_repeated, channels=whole(channels, "channels", 1))


def _repeated(x: Tensor, channels: int) -> Tensor:
    if x.shape[1] not in (1, channels):
        raise InputError(f"this network takes images of 1 or {channels} channels; not {x.shape[1]}")
    return x.expand(-1, channels, -1, -1)


def _normalize(
    mean: PerChannel | None, std: PerChannel | None
) -> Callable[[Tensor], Tensor] | None:
    if mean is None and std is None:
        return None
    shift, scale = 0.0 if mean is None else mean, 1.0 if std is None else std
    if not bool((torch.as_tensor(scale) > 0).all()):
        raise InputError(f"std must be positive; not {std!r}")
    return partial(_normalized, mean=shift, std=scale)


def _normalized(x: Tensor, mean: PerChannel, std: PerChannel) -> Tensor:
    low, unit = (
        torch.as_tensor(v, dtype=x.dtype, device=x.device).reshape(-1, 1, 1) for v in (mean, std)
    )
    if not {len(low), len(unit)} <= {1, x.shape[1]}:
        raise InputError(
            f"mean and std must be one number or {x.shape[1]}, the number of channels; "
            f"not {mean!r} and {std!r}"
        )
    return (x - low) / unit
