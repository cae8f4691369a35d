"""Outputs of named layers of a network, without running what comes after them."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, fx, nn

from stimuli_store.errors import InputError


class LayerOutputs(nn.Module):
    """Module that maps the input of a network to the first outputs of some of its layers.

    Parameters
    ----------
    network
        The network.
    layers
        Names of layers.

    Attributes
    ----------
    cut
        Whether the network's graph is cut after the layers; else the network is run with hooks.
    """

    def __init__(self, network: nn.Module, layers: Sequence[str]) -> None:
        super().__init__()
        self.layers = tuple(layers)
        graph = _cut(network, self.layers)
        self.cut = graph is not None
        self.network = network if graph is None else graph

    def forward(self, x: Tensor) -> Sequence[object]:
        """Return the layers' outputs for images `x`, in the order of the layers' names."""
        if self.cut:
            found: Sequence[object] = self.network(x)
            return found
        return _hooked(self.network, self.layers, x)


class _Unfaithful(Exception):
    """Raised to end a trace that would compute another function than the network."""


class _Tracer(fx.Tracer):
    """Tracer that records a network's graph down to layers, each one node, as are torch's own modules.

    Every node stores in ``meta["faithful"]`` whether it does the same outside the code that made it.
    """

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.layers = layers
        self.depth = _autocast_depth()

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if any(m is layer for layer in self.layers) or super().is_leaf_module(
            m, module_qualified_name
        ):
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


def _cut(network: nn.Module, layers: Sequence[str]) -> fx.GraphModule | None:
    """Return the graph of a network up to the layers' first calls; None if the trace is not faithful."""
    wanted = [network.get_submodule(layer) for layer in layers]
    graph = _traced(network, wanted)
    if graph is None:
        return None
    nodes = list(graph.nodes)
    calls = [_first_call(network, part, nodes) for part in wanted]
    found = [nodes[place] for place in calls if place is not None]
    kept = nodes[: max((place or 0 for place in calls), default=0) + 1]
    # A layer inside another one that is wanted has no node of its own.
    if len(found) < len(layers) or not all(node.meta["faithful"] for node in kept):
        return None
    graph, copies, outputs = fx.Graph(), dict[fx.Node, fx.Node](), dict[fx.Node, fx.Node]()
    for node in kept:
        copies[node] = graph.node_copy(node, copies.__getitem__)
        if node in found:
            outputs[node] = graph.call_function(_kept, (copies[node],))
    graph.output(tuple(outputs[node] for node in found))
    graph.lint()
    return fx.GraphModule(network, graph)


def _first_call(network: nn.Module, part: nn.Module, nodes: Sequence[fx.Node]) -> int | None:
    """Return the place of the first call of a module among nodes; None if there is none."""
    name = next(n for n, m in network.named_modules() if m is part)  # the trace's own
    places = (i for i, n in enumerate(nodes) if (n.op, n.target) == ("call_module", name))
    return next(places, None)


def _kept(output: object) -> object:
    """Return a copy of a layer's output, which later layers may overwrite."""
    return output.clone() if isinstance(output, Tensor) else output


def _traced(network: nn.Module, layers: Sequence[nn.Module]) -> fx.Graph | None:
    own = "forward" in vars(network) or type(network).__call__ is not nn.Module.__call__
    if own or _has_hooks(network):
        return None
    state = torch.get_rng_state()
    try:
        with torch.enable_grad():
            graph = _Tracer(layers).trace(network)
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


def _hooked(network: nn.Module, layers: Sequence[str], x: Tensor) -> list[object]:
    """Return the outputs of layers at their first calls for `x`, without running the rest of the network."""
    caught: dict[str, object] = {}

    def catch(_module: nn.Module, _args: object, output: object, *, layer: str) -> None:
        caught.setdefault(layer, _kept(output))
        if len(caught) == len(layers):
            raise _Reached

    handles = [
        network.get_submodule(layer).register_forward_hook(partial(catch, layer=layer))
        for layer in layers
    ]
    try:
        network(x)
    except _Reached:
        return [caught[layer] for layer in layers]
    finally:
        for handle in handles:
            handle.remove()
    missed = next(layer for layer in layers if layer not in caught)
    raise InputError(f"layer {missed!r} is not reached for an image of shape {tuple(x.shape)}")


class _Reached(BaseException):  # so that no handler in a network catches it
    """Raised to end a run of a network after the last of the requested layers."""
