"""Products with the Jacobian J of a function at given points, without forming J.

One forward pass is kept, and all products use its graph: Jᵀu by reverse mode, and Jv by differentiating
u -> Jᵀu, which is linear, once more (Townsend 2017, "A new trick for calculating Jacobian vector
products"). This saves a forward pass per product, and both products use the same J even with custom
gradients, so JᵀJ is symmetric. If a function cannot be differentiated twice, Jv comes from forward mode.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import torch.autograd.forward_ad as forward_mode
from torch import Tensor

from stimsynth.numerics.attention import differentiable_attention
from stimsynth.numerics.generators import generator_for
from stimuli_store.errors import InputError

Way = Callable[[Tensor, "_Graph"], Tensor]

_AT_ONCE = 16  # vectors per pass; each needs the memory of a forward pass


@dataclass(frozen=True, kw_only=True)
class _Graph:
    """Graph of a forward pass (points to outputs) and of its transpose (any `dual` to Jᵀ `dual`)."""

    items: tuple[int, ...]
    points: Tensor
    outputs: Tensor
    dual: Tensor
    back: Tensor


class Linearized:
    """Jacobian products of a function of N independent points.

    Parameters
    ----------
    function
        Function from points (a, …) to outputs (a, …), real or complex, that treats points independently.
    points
        Shape (N, …), real.

    Attributes
    ----------
    size_in, size_out
        Numbers of values in a point and in its output; a complex value counts twice.
    forward_mode
        Whether Jv comes from forward mode, because the function cannot be differentiated twice.

    Raises
    ------
    InputError
        When it is first used, if the function can be differentiated neither twice nor in forward mode.

    Examples
    --------
    >>> square = Linearized(lambda x: x**2, torch.tensor([[1.0, 2.0]]))
    >>> square.push(torch.tensor([[1.0, 1.0]]), [0]).tolist()
    [[2.0, 4.0]]
    """

    def __init__(self, function: Callable[[Tensor], Tensor], points: Tensor) -> None:
        self._function = function
        self._points = points.detach()
        self._graph: _Graph | None = None
        self.size_in = points[0].numel()

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the graph, for copies and pickles."""
        return {**self.__dict__, "_graph": None}

    def push(self, vectors: Tensor, items: Sequence[int]) -> Tensor:
        """Return Jv, shape (a, m), for vectors v (a, n), each at the point given in `items`."""
        forward = self.forward_mode  # found on a graph of its own, before that of the items is made
        return torch.cat([self._push(v, self._at(i), forward) for v, i in _split(vectors, items)])

    def pull(self, covectors: Tensor, items: Sequence[int]) -> Tensor:
        """Return Jᵀu, shape (a, n), for covectors u (a, m), each at the point given in `items`."""
        return torch.cat([self._pull(u, self._at(i)) for u, i in _split(covectors, items)])

    def gram(self, vectors: Tensor, items: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return JᵀJv, shape (a, n), and vᵀJᵀJv = ‖Jv‖², shape (a,) in float64, for vectors v (a, n).

        The norm is never negative and free of cancellation: its error is about (ε ‖J‖)², and the error of
        vᵀ(JᵀJv) is about ε ‖J‖².
        """
        products, energies, forward = [], [], self.forward_mode
        for chunk, at in _split(vectors, items):
            graph = self._at(at)
            pushed = self._push(chunk, graph, forward)
            energies.append(pushed.double().square().sum(dim=1))
            products.append(self._pull(pushed, graph))
        return torch.cat(products), torch.cat(energies)

    def _at(self, items: tuple[int, ...]) -> _Graph:
        """Return the graph for some points; only the last graph is kept."""
        if self._graph is None or self._graph.items != items:
            self._graph = None  # its memory is free before the next one is made
            self._graph = self._trace(items)
        return self._graph

    def _trace(self, items: tuple[int, ...]) -> _Graph:
        with torch.enable_grad():
            points = self._points[list(items)].requires_grad_(True)
            outputs = self._real(points)
            dual = torch.zeros_like(outputs, requires_grad=True)
            (back,) = torch.autograd.grad(outputs, points, dual, create_graph=True)
        return _Graph(items=items, points=points, outputs=outputs, dual=dual, back=back)

    def _real(self, points: Tensor) -> Tensor:
        with differentiable_attention():
            outputs = self._function(points)
        return torch.view_as_real(outputs) if outputs.is_complex() else outputs

    def _push(self, vectors: Tensor, graph: _Graph, forward: bool) -> Tensor:
        return self._forward(vectors, graph) if forward else _twice(vectors, graph)

    def _forward(self, vectors: Tensor, graph: _Graph) -> Tensor:
        with forward_mode.dual_level():
            points = forward_mode.make_dual(graph.points.detach(), vectors.view_as(graph.points))
            tangent = forward_mode.unpack_dual(self._real(points)).tangent
        pushed = torch.zeros_like(graph.outputs) if tangent is None else tangent
        return pushed.detach().flatten(1)

    @cached_property
    def size_out(self) -> int:
        """Number of values in the output for a point."""
        return self._at((0,)).outputs[0].numel()

    @cached_property
    def forward_mode(self) -> bool:
        """True if Jv needs forward mode, found by testing <u, Jv> = <Jᵀu, v> for a random u and v."""
        # A custom gradient that detaches raises no error when differentiated again, but gives a wrong Jv;
        # only this comparison detects it.
        graph = self._at((0,))
        generator = generator_for("derivatives", 0)
        v, u = (
            torch.randn(1, size, generator=generator, dtype=torch.float64).to(self._points)
            for size in (self.size_in, self.size_out)
        )
        pulled = self._pull(u, graph)
        ways: tuple[Way, ...] = (_twice, self._forward)
        failures = []
        for forward, way in enumerate(ways):
            try:
                pushed = way(v, graph)
            except RuntimeError as error:
                failures.append(str(error))
                continue
            gap = ((u * pushed).double().sum() - (pulled * v).double().sum()).abs()
            chance = pushed.double().norm()  # typical size of <u, Jv> for a random u
            if not bool(gap > 0.01 * chance):
                return bool(forward)
            failures.append("its result does not fit the gradient")
        raise InputError(
            "the model's derivative along a direction cannot be computed: twice in reverse mode, "
            f"{failures[0]}; in forward mode, {failures[1]}. Use torch's own functions, or give custom ones "
            "a differentiable backward or a jvp"
        )

    def _pull(self, covectors: Tensor, graph: _Graph) -> Tensor:
        (pulled,) = torch.autograd.grad(
            graph.outputs, graph.points, covectors.view_as(graph.outputs), retain_graph=True
        )
        return pulled.detach().flatten(1)


def _twice(vectors: Tensor, graph: _Graph) -> Tensor:
    if not graph.back.requires_grad:  # the slope is 0 everywhere, or the gradient was detached
        return torch.zeros_like(graph.outputs).flatten(1)
    (pushed,) = torch.autograd.grad(
        graph.back, graph.dual, vectors.view_as(graph.points), retain_graph=True
    )
    return pushed.detach().flatten(1)


def _split(vectors: Tensor, items: Sequence[int]) -> Iterator[tuple[Tensor, tuple[int, ...]]]:
    for first in range(0, len(items), _AT_ONCE):
        yield vectors[first : first + _AT_ONCE], tuple(items[first : first + _AT_ONCE])
