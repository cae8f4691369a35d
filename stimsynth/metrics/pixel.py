"""Mean squared error of pixels."""

from torch import Tensor

from stimsynth.metrics.structural_similarity import matched


def mse(img1: Tensor, img2: Tensor) -> Tensor:
    r"""Return the mean squared error between images, one value for each image and channel.

    Computes :math:`\frac{1}{n}\sum_i (x_i - y_i)^2` over the n pixels of a channel. It predicts visible
    differences poorly, but is a useful baseline. (The loss of this name, a scalar of any two tensors, is
    `stimsynth.losses.mse`.)

    Parameters
    ----------
    img1, img2
        Images (b, c, h, w) of one floating-point type and any range, of equal height and width; batch and
        channel may be 1 in either.

    Returns
    -------
    Tensor
        Shape (b, c).

    Raises
    ------
    InputError
        If the images cannot be compared.

    Examples
    --------
    >>> import torch
    >>> mse(torch.zeros(2, 1, 4, 4), torch.full((1, 1, 4, 4), 0.5)).tolist()
    [[0.25], [0.25]]
    """
    one, two = matched(img1, img2)
    return (one - two).square().mean(dim=(-2, -1))
