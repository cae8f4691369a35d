"""The Fisher information matrix of a model with white Gaussian noise at its output: F = JᵀJ."""

import torch
from torch import Tensor

from stimuli_store.errors import InputError


def jacobian(y: Tensor, x: Tensor) -> Tensor:
    """Return the Jacobian ∂y/∂x, with one row for each value of `y`.

    Parameters
    ----------
    y
        Output computed from `x`, with its autograd graph; m values in any shape.
    x
        Input that requires a gradient; n values in any shape.

    Returns
    -------
    Tensor
        Shape (m, n), detached from the graph.

    Raises
    ------
    InputError
        If `y` does not depend on `x`.

    Examples
    --------
    >>> x = torch.tensor([[2.0], [3.0]], requires_grad=True)
    >>> jacobian(x**2, x).tolist()
    [[4.0, 0.0], [0.0, 6.0]]
    """
    rows = torch.eye(y.numel(), dtype=y.dtype, device=y.device)
    return vector_jacobian_product(y, x, rows, create_graph=False, detach=True).T


def jacobian_vector_product(
    y: Tensor, x: Tensor, V: Tensor, dummy_vec: Tensor | None = None
) -> Tensor:
    r"""Return :math:`(\partial y / \partial x)\,V`, by differentiating twice in reverse.

    Parameters
    ----------
    y, x
        As for `jacobian`.
    V
        k directions of the input, shape (n, k).
    dummy_vec
        A tensor shaped like `y` that requires a gradient, used instead of a new one; its values are ignored.

    Returns
    -------
    Tensor
        Shape (m, k), detached from the graph.

    Raises
    ------
    InputError
        If `y` does not depend on `x`, or `V` or `dummy_vec` is not of a shape that fits.

    References
    ----------
    J. Townsend (2017), "A new trick for calculating Jacobian vector products".

    Examples
    --------
    >>> x = torch.tensor([[2.0], [3.0]], requires_grad=True)
    >>> jacobian_vector_product(x**2, x, torch.ones(2, 1)).tolist()
    [[4.0], [6.0]]
    """
    _check_columns(V, x, "V", "x")
    dummy = torch.ones_like(y, requires_grad=True) if dummy_vec is None else dummy_vec
    if dummy.numel() != y.numel() or not dummy.requires_grad:
        raise InputError(
            f"dummy_vec must have the shape of y, {tuple(y.shape)}, and requires_grad=True; not "
            f"{tuple(dummy.shape)} and requires_grad={dummy.requires_grad}"
        )
    back = vector_jacobian_product(y, x, dummy.reshape(-1, 1))
    if not back.requires_grad:  # the derivative is 0 in every direction
        return y.new_zeros(y.numel(), V.shape[1])
    try:
        return vector_jacobian_product(back, dummy, V, create_graph=False, detach=True)
    except RuntimeError as why:
        if "not implemented" not in str(why):
            raise
        raise InputError(
            f"y cannot be differentiated twice: {why}; if attention is a part of it, compute y inside "
            "stimsynth.numerics.attention.differentiable_attention()"
        ) from why


def vector_jacobian_product(
    y: Tensor,
    x: Tensor,
    U: Tensor,
    retain_graph: bool = True,
    create_graph: bool = True,
    detach: bool = False,
) -> Tensor:
    r"""Return :math:`(\partial y / \partial x)^T U`, in reverse mode.

    Parameters
    ----------
    y, x
        As for `jacobian`.
    U
        k directions of the output, shape (m, k).
    retain_graph
        Whether the graph of `y` can be used again afterwards.
    create_graph
        Whether the result can be differentiated in turn.
    detach
        Whether to detach the result from the graph.

    Returns
    -------
    Tensor
        Shape (n, k).

    Raises
    ------
    InputError
        If `y` does not depend on `x` or `U` is not of shape (m, k).

    Examples
    --------
    >>> x = torch.tensor([[2.0], [3.0]], requires_grad=True)
    >>> vector_jacobian_product(x.prod().reshape(1, 1), x, torch.ones(1, 1)).tolist()
    [[3.0], [2.0]]
    """
    _check_columns(U, y, "U", "y")
    if not y.requires_grad or not x.requires_grad:
        raise InputError(
            "y must be computed from x with gradients; call x.requires_grad_() before the model"
        )
    products = []
    for k, direction in enumerate(U.unbind(dim=1)):
        (product,) = torch.autograd.grad(
            y,
            x,
            direction.reshape(y.shape),
            retain_graph=retain_graph or create_graph or k < U.shape[1] - 1,
            create_graph=create_graph,
            allow_unused=True,
        )
        if product is None:
            raise InputError("y does not depend on x; compute y from x")
        products.append(product.reshape(-1))
    stacked = torch.stack(products, dim=1)
    return stacked.detach() if detach else stacked


def _check_columns(directions: Tensor, like: Tensor, name: str, side: str) -> None:
    if directions.dim() != 2 or directions.shape[0] != like.numel() or not directions.shape[1]:
        raise InputError(
            f"{name} must hold directions of {side} as columns, shape ({like.numel()}, k) with k of 1 or "
            f"more; not {tuple(directions.shape)}"
        )


def fisher_info_matrix_vector_product(
    y: Tensor, x: Tensor, v: Tensor, dummy_vec: Tensor | None = None
) -> Tensor:
    r"""Return :math:`F v = J^T (J v)`, where :math:`J = \partial y / \partial x`, without forming F.

    Parameters
    ----------
    y
        Output computed from `x`, with its autograd graph; m values in any shape.
    x
        Input that requires a gradient; n values in any shape.
    v
        Directions of the input as columns, shape (n, k).
    dummy_vec
        A tensor shaped like `y` that requires a gradient, used instead of a new one; its values are ignored.

    Returns
    -------
    Tensor
        Shape (n, k), detached from the graph.

    Raises
    ------
    InputError
        If `y` does not depend on `x`, or `v` or `dummy_vec` is not of a shape that fits.

    References
    ----------
    A. Berardino, J. Ballé, V. Laparra & E. P. Simoncelli (2017), "Eigen-distortions of hierarchical
    representations", NeurIPS 30.

    Examples
    --------
    >>> import torch
    >>> x = torch.tensor([[2.0], [3.0]], requires_grad=True)
    >>> fisher_info_matrix_vector_product(x**2, x, torch.ones(2, 1)).tolist()
    [[16.0], [36.0]]
    """
    pushed = jacobian_vector_product(y, x, v, dummy_vec)
    return vector_jacobian_product(y, x, pushed, create_graph=False, detach=True)


def fisher_info_matrix_eigenvalue(
    y: Tensor, x: Tensor, v: Tensor, dummy_vec: Tensor | None = None
) -> Tensor:
    r"""Return :math:`\lambda = v^T F v = \|J v\|^2` for every column of `v`.

    If the column is a unit eigenvector of F, this is its eigenvalue. For any unit vector it is the squared
    sensitivity of the model to that direction. As a squared norm it is never negative.

    Parameters
    ----------
    y, x, v, dummy_vec
        As for `fisher_info_matrix_vector_product`.

    Returns
    -------
    Tensor
        Shape (k,).

    Raises
    ------
    InputError
        If `y` does not depend on `x`, or `v` or `dummy_vec` is not of a shape that fits.

    Examples
    --------
    >>> import torch
    >>> x = torch.tensor([[2.0], [3.0]], requires_grad=True)
    >>> fisher_info_matrix_eigenvalue(x**2, x, torch.eye(2)).tolist()
    [16.0, 36.0]
    """
    return jacobian_vector_product(y, x, v, dummy_vec).square().sum(dim=0)
