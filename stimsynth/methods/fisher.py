"""The Fisher information matrix of a model with white Gaussian noise at its output: F = JᵀJ."""

from torch import Tensor

from stimsynth.engine.derivatives import jacobian_vector_product, vector_jacobian_product


def fisher_info_matrix_vector_product(
    y: Tensor, x: Tensor, v: Tensor, dummy_vec: Tensor | None = None
) -> Tensor:
    r"""Return :math:`F v = J^T (J v)`, where :math:`J = \partial y / \partial x`, without forming F.

    Parameters
    ----------
    y
        Output, with a graph that leads to `x`; m values in any shape.
    x
        Input, with gradient; n values in any shape.
    v
        Directions of the input as columns, shape (n, k).
    dummy_vec
        A tensor shaped like `y`, with gradient, for use in place of a new one; its values do not matter.

    Returns
    -------
    Tensor
        Shape (n, k), cut from the graph.

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

    For a unit vector it is the eigenvalue if `v` is an eigenvector of F, and the sensitivity of the
    model to that direction, squared, in any case. As a squared norm it is never negative.

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
