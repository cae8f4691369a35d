"""Eigendistortions: the unit changes of an image to which a model is most and least sensitive."""

import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from stimsynth.engine.eigen import lanczos
from stimsynth.engine.eigen.eigenspaces import Eigenspace
from stimsynth.engine.interrupt import interruptible
from stimsynth.engine.run import Status
from stimsynth.methods.base.device_move import goal_of_move, moved_copy
from stimsynth.methods.base.in_notebook import first_values, pictured
from stimsynth.methods.base.on_grid import OnGrid, columns, exactly, on_grid, screen_grid
from stimsynth.methods.base.progress import product_bar
from stimsynth.methods.base.quality import Quality, judge
from stimsynth.methods.base.savable import SavableSynthesis
from stimsynth.methods.eigen import solvers
from stimsynth.methods.eigen.checks import (
    check_request,
    check_search,
    judged,
    not_finite,
    warn_of_size,
)
from stimsynth.methods.eigen.distorted import distorted_on_grid
from stimsynth.methods.eigen.saved_state import LIKE_THE_IMAGE, pack_eigenpairs, unpack_eigenpairs
from stimsynth.methods.eigen.solvers import EigenSolution
from stimsynth.numerics.linearized import Linearized
from stimsynth.numerics.numbers import real_number
from stimsynth.seeding import checked_seed
from stimsynth.transforms.sequences import as_vectors
from stimsynth.validate import checked_output, validate_allowed_range, validate_input
from stimsynth.validate.images import IMAGE_FIRST, kept_image
from stimsynth.validate.probing import refuse_inference_mode
from stimuli_store.errors import InputError
from stimuli_store.tools.shown import number_of

EigenMethod = Literal["lanczos", "exact", "power", "randomized_svd"]
_MANY_PIXELS = 1e4


class Eigendistortion(SavableSynthesis):
    r"""Synthesize eigendistortions: unit changes of an image that a model detects most and least.

    With white Gaussian noise at the model's output, a small change v of the image x is the more detectable,
    the larger :math:`v^T F v` is. Here :math:`F = J^T J` is the Fisher information matrix and
    :math:`J = \partial f / \partial x` the model's Jacobian. The eigenvectors of F with the largest and
    smallest eigenvalues are the most and least noticeable unit changes.

    Parameters
    ----------
    image
        Shape (1, channel, height, width), real. With ``method="lanczos"`` also a batch (batch, channel,
        height, width): each image is an independent problem.
    model
        Any `torch.nn.Module` without learnable parameters (see `stimsynth.remove_grad`).
    seed
        Seed of the random start vectors, as in `Metamer`.

    Attributes
    ----------
    eigendistortions
        Unit vectors by decreasing eigenvalue, shape (n_distortions, channel, height, width); for a
        batch of two or more (batch, n_distortions, channel, height, width). Empty before `synthesize`.
    eigenvalues, residuals, error_bounds
        Shape (n_distortions,), or (batch, n_distortions). The eigenvalue λ; its residual ‖Fv − λv‖ / λmax,
        measured with one more product; and an upper bound on the distance of λ to the nearest eigenvalue.
    eigenindex
        Rank of each among all eigenvalues, shape (n_distortions,): 0 for the largest, and n − 1 for the
        smallest of an image of n pixels.
    eigenspaces
        For each image ``{"top": …, "bottom": …}``, the eigenspaces of its largest and smallest eigenvalue
        (`stimsynth.engine.eigen.eigenspaces.Eigenspace`): repeated eigenvalues, and the null space.
    jacobian
        The Jacobian, shape (outputs, pixels), after ``method="exact"`` or `compute_jacobian`; else None.
    status
        Status of the search for each image, a `stimsynth.engine.run.Status`.
    n_products
        Number of products with F spent on each image, without those that measure the residuals.

    Raises
    ------
    InputError
        (a ValueError) if image and model do not fit together.

    References
    ----------
    A. Berardino, J. Ballé, V. Laparra & E. P. Simoncelli (2017), "Eigen-distortions of hierarchical
    representations", NeurIPS 30, 3530–3539.

    Examples
    --------
    >>> from stimsynth import Eigendistortion, Gaussian, images, remove_grad
    >>> eig = Eigendistortion(images.load("camera", size=32), remove_grad(Gaussian(7, std=2.0)))
    Initializing Eigendistortion -- Input dim: 1024 | Output dim: 1024
    >>> eig.synthesize()
    >>> eig.eigendistortions.shape
    torch.Size([2, 1, 32, 32])
    >>> bool((eig.residuals < 1e-4).all())
    True
    """

    _shared: ClassVar[dict[str, str]] = {"image": "_image"}
    _origins = SavableSynthesis._origins | {"search": "_settings"}

    def __init__(self, image: Tensor, model: nn.Module, *, seed: int | None = None) -> None:
        self._image = kept_image(image, order=IMAGE_FIRST)
        output = checked_output(model, self._image)
        self._model = model
        self._seed = checked_seed(seed)
        self._linear = Linearized(model, self._image)
        n, m = self._sizes = self._image[0].numel(), as_vectors(output).shape[1]
        print(f"Initializing Eigendistortion -- Input dim: {n} | Output dim: {m}")  # noqa: T201
        self._surplus = max(
            n - m, 0
        )  # dimensions of the null space if outputs are fewer than pixels
        self._jacobian: Tensor | None = None
        self._settings: dict[str, Any] = {}
        self._krylov: tuple[lanczos.Krylov, ...] = ()
        self._found: tuple[EigenSolution, ...] = ()

    def synthesize(
        self,
        method: EigenMethod = "lanczos",
        k: int = 1,
        max_iter: int = 1000,
        p: int = 5,
        q: int = 2,
        stop_criterion: float = 1e-7,
        *,
        residual_tolerance: float = 1e-4,
        basis_size: int | None = None,
    ) -> None:
        """Compute eigendistortions.

        ``"lanczos"`` finds the first and last eigenvectors in one Krylov space, with certified residuals.
        Called again with the same k, it continues, and two calls give the same as one longer call. The other
        methods start anew in each call, and work on one image.

        Parameters
        ----------
        method
            ``"lanczos"``: first and last k eigenvectors, by thick-restart Lanczos; for k > 1 it also
            searches for repeated eigenvalues. ``"exact"``: all eigenvectors, from the full Jacobian (small
            images). ``"power"``: first and last k, by orthogonal iteration. ``"randomized_svd"``: first k,
            approximately.
        k
            Number of vectors at each end of the spectrum.
        max_iter
            Number of products with F for each image (lanczos) or of steps for each end (power) in this call.
        p
            Number of random vectors beyond k, for ``"randomized_svd"``.
        q
            Number of further multiplications of these vectors by F.
        stop_criterion
            For ``"lanczos"`` and ``"power"``. The search stops when the eigenvalues change by less than this
            (L2 norm, relative to λmax) from one step to the next; Lanczos: over ten products.
        residual_tolerance
            Largest residual that counts as converged. Lanczos stops only when all residuals are below it.
        basis_size
            Largest number of vectors that Lanczos keeps; None for as many as fit in 256 MiB, from 40 to 200.

        Raises
        ------
        InputError
            If an argument is invalid, a method other than Lanczos gets several images, or the Jacobian is
            NaN or infinite at this image.
        KeyboardInterrupt
            After Ctrl-C, which ends the search between two products. The results so far are kept, and the
            next call of Lanczos continues.

        Warns
        -----
        UserWarning
            If ``"exact"`` needs a Jacobian of more than a million elements.
        """
        refuse_inference_mode()
        k, max_iter, p, q = check_request(method, self._sizes[0], k, max_iter, p, q)
        if method != "lanczos":
            self._refuse_batch(f"method={method!r}")
        search = lanczos.Search(
            k=k, tolerance=residual_tolerance, change=stop_criterion, basis_size=basis_size
        )
        search = check_search(search)
        with interruptible():
            if method == "lanczos":
                self._lanczos(search, max_iter)
            else:
                self._found = (self._anew(method, search, max_iter, p, q),)
                self._settings, self._krylov = {"method": method}, ()

    def quality(self) -> tuple[Quality, ...]:
        """Return a verdict on the eigendistortions of each image: numbers, and a sentence.

        The numbers are: the largest of `residuals`; the error bounds of the first and last eigenvalue,
        relative to λmax; and lower bounds on the dimensions of their eigenspaces. If a dimension is above 1,
        the vector is one of many equally good ones. A number is NaN if its end was not searched.
        """
        if not self._found:
            return (judge({}, {}, Status.RUNNING),) * len(self._image)
        tolerance = self._settings.get("tolerance", 0.0)
        return tuple(judged(found, tolerance) for found in self._found)

    def on_grid(
        self,
        alpha: float,
        bits: int = 8,
        *,
        allowed_range: tuple[float, float] = (0, 1),
        seed: int = 0,
    ) -> OnGrid:
        """Return the image plus `alpha` times each eigendistortion, quantized to a screen's levels.

        Rounding weakens a distortion, and removes it where it is smaller than half a level. Therefore
        pixels are chosen such that their difference to the image, which is rounded too, has the amplitude
        `alpha` along the distortion.

        Parameters
        ----------
        alpha
            Amplitude: the distorted image is ``image + alpha * eigendistortion``, with the
            eigendistortion of norm 1.
        bits
            Depth of the screen: ``2 ** bits`` levels over `allowed_range`.
        allowed_range
            (low, high) for pixels: the darkest and the brightest level.
        seed
            Seed of the dither.

        Returns
        -------
        OnGrid
            One image for each of `eigendistortions`, in their order. The figures are the amplitude along
            the distortion and the root-mean-square change of the model's output, measured in float64 for
            the float image, the plainly rounded one, and this one; and whether dither was used.

        Raises
        ------
        InputError
            If there are several images, the image is not inside `allowed_range`, `synthesize` was not
            called, or alpha is not finite.

        Examples
        --------
        >>> from stimsynth import Eigendistortion, Gaussian, images, remove_grad
        >>> eig = Eigendistortion(images.load("camera", size=32), remove_grad(Gaussian(7, std=2.0)))
        Initializing Eigendistortion -- Input dim: 1024 | Output dim: 1024
        >>> eig.synthesize()
        >>> top, bottom = eig.on_grid(alpha=0.5).figures
        >>> round(top["amplitude, refined"], 3), round(bottom["amplitude, refined"], 3)
        (0.5, 0.5)
        """
        alpha = real_number(alpha, "alpha, the norm of the distortion,")
        seed = checked_seed(seed)
        self._refuse_batch("on_grid")
        if not self._found:
            raise InputError("there are no eigendistortions yet; call synthesize first")
        bounds = validate_allowed_range(allowed_range)
        validate_input(self._image, allowed_range=bounds)
        grid, model = screen_grid(bits, bounds), exactly(self._model, self._image)
        unit = self.eigendistortions.double()
        unit = unit / unit.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        base = grid.nearest(self._image.double())
        shown, measured = distorted_on_grid(model, base, unit, alpha, grid, seed)
        return on_grid(shown.to(self._image.dtype), grid, seed, columns(**measured))

    def compute_jacobian(self) -> Tensor:
        """Return the Jacobian at the image, shape (outputs, pixels), and store it for later calls.

        Raises
        ------
        InputError
            If there are several images, or the Jacobian is NaN or infinite.

        Warns
        -----
        UserWarning
            If the image has more than 10,000 values, as this needs one backward pass for every output.
        """
        self._refuse_batch("the full Jacobian")
        if self._jacobian is None:
            n, m = self._sizes
            if n > _MANY_PIXELS:
                warnings.warn(
                    f"the Jacobian of {n} inputs takes long; method='lanczos' does not need it",
                    stacklevel=2,
                )
            if n < m:
                columns = torch.eye(n).to(self._image)
                self._jacobian = self._linear.push(columns, [0] * n).T.contiguous()
            else:
                self._jacobian = self._linear.pull(torch.eye(m).to(self._image), [0] * m)
        if not bool(torch.isfinite(self._jacobian).all()):
            raise not_finite(0)
        return self._jacobian.clone()

    @property
    def image(self) -> Tensor:
        """A copy of the image, shape (batch, channel, height, width)."""
        return self._image.clone()

    @property
    def model(self) -> nn.Module:
        """The model."""
        return self._model

    @property
    def jacobian(self) -> Tensor | None:
        """A copy of the Jacobian, shape (outputs, pixels); None until it is computed."""
        return None if self._jacobian is None else self._jacobian.clone()

    @property
    def eigendistortions(self) -> Tensor:
        """Unit vectors by decreasing eigenvalue, shape (n, …) or (batch, n, …)."""
        shape = self._image.shape[1:]
        if not self._found:
            return self._image.new_empty(0, *shape)
        return self._stacked("vectors").unflatten(-1, shape)

    @property
    def eigenvalues(self) -> Tensor:
        """Eigenvalue of each eigendistortion, decreasing, shape (n,) or (batch, n)."""
        return self._stacked("values")

    @property
    def residuals(self) -> Tensor:
        """Residual ‖Fv − λv‖ / λmax of each eigenpair, shape (n,) or (batch, n)."""
        return self._stacked("residuals")

    @property
    def error_bounds(self) -> Tensor:
        """Upper bounds on the error of each of `eigenvalues`, shape (n,) or (batch, n)."""
        return self._stacked("error_bounds")

    @property
    def eigenindex(self) -> Tensor:
        """Rank of each eigenvalue among all, 0 for the largest, shape (n,)."""
        return self._found[0].index.clone() if self._found else torch.empty(0, dtype=torch.int64)

    @property
    def eigenspaces(self) -> tuple[dict[str, Eigenspace], ...]:
        """Eigenspaces of the largest and smallest eigenvalue of each image, by ``"top"`` and ``"bottom"``."""
        return tuple(found.spaces for found in self._found)

    @property
    def status(self) -> tuple[Status, ...]:
        """Status of the search for each image of the batch."""
        return tuple(found.outcome for found in self._found) or (Status.RUNNING,) * len(self._image)

    @property
    def n_products(self) -> tuple[int, ...]:
        """Number of products with F spent on each image."""
        return tuple(found.n_products for found in self._found) or (0,) * len(self._image)

    def __repr__(self) -> str:
        n, m = self._sizes
        parts = [f"Eigendistortion -- Input dim: {n} | Output dim: {m}"]
        for found in self._found[:1]:
            parts += [found.outcome.value, *(str(space) for space in found.spaces.values())]
        if len(self._found) > 1:
            parts.append(f"and {number_of(len(self._found) - 1, 'more image')}")
        return "; ".join(parts)

    def _repr_html_(self) -> str:
        """Return HTML with facts, and the first and the last eigendistortion of the first image."""
        if not self._found:
            return pictured("Eigendistortion", self._image[:0], [("status", "not begun")])
        found = self.eigendistortions.detach()
        ends = (found if found.dim() == 4 else found[0])[[0, -1]]
        facts = [
            ("eigenvalues", first_values(self.eigenvalues)),
            ("status", "; ".join(dict.fromkeys(status.value for status in self.status))),
        ]
        return pictured("Eigendistortion", ends, facts)

    def to(self, *args: Any, **kwargs: Any) -> None:
        """Change precision or device of image, model and results, in place; the model as a copy.

        Parameters
        ----------
        args, kwargs
            As in `Metamer.to`.

        Raises
        ------
        InputError
            If the device or dtype does not exist, or the dtype is not a real floating-point one.
        """
        goal = goal_of_move(self._image, *args, **kwargs)
        self._model = moved_copy(self._model, goal)
        self._image = self._image.to(goal)
        self._linear = Linearized(self._model, self._image)
        self._jacobian = None if self._jacobian is None else self._jacobian.to(goal)
        tensors, plain = pack_eigenpairs(self._found, self._krylov)
        moved = {
            name: value.to(goal) if name.endswith(LIKE_THE_IMAGE) else value
            for name, value in tensors.items()
        }
        self._found, self._krylov = unpack_eigenpairs(moved, plain)

    def _functions(self) -> dict[str, Any]:
        with torch.no_grad():
            return {"model's output": self._model(self._image)}

    def _begun(self) -> bool:
        return bool(self._found)

    def _content(self) -> dict[str, Any]:
        tensors, plain = pack_eigenpairs(self._found, self._krylov)
        return {"tensors": {**tensors, "jacobian": self._jacobian}, "plain": plain}

    def _restore(self, content: dict[str, Any], path: Path) -> None:
        self._jacobian = content["tensors"].pop("jacobian")
        self._found, self._krylov = unpack_eigenpairs(content["tensors"], content["plain"])

    def _derive(self) -> None:
        self._linear = Linearized(self._model, self._image)

    def _anew(
        self, method: str, search: lanczos.Search, max_iter: int, p: int, q: int
    ) -> EigenSolution:
        """Return the solution of a method that does not continue an earlier search."""
        like, k, tolerance = self._image[0].flatten(), search.k, search.tolerance
        if method == "exact":
            warn_of_size(*self._sizes)
            return solvers.exact(self.compute_jacobian())
        if method == "randomized_svd":
            return solvers.randomized_svd(
                self._operator, like, k=k, p=p, q=q, tolerance=tolerance, seed=self._seed
            )
        return solvers.power_iteration(
            self._operator,
            like,
            k=k,
            max_iter=max_iter,
            criterion=search.change,
            tolerance=tolerance,
            seed=self._seed,
            surplus=self._surplus,
        )

    def _lanczos(self, search: lanczos.Search, max_iter: int) -> None:
        settings = {"method": "lanczos", **asdict(search)}
        if not self._goes_on(settings):
            if max_iter < 2 * search.k:
                raise InputError(
                    f"max_iter must be at least 2k = {2 * search.k}, the products that Lanczos needs for "
                    f"k={search.k}; not {max_iter}"
                )
            self._krylov = tuple(
                lanczos.begin(image.flatten(), search, self._seed, i)
                for i, image in enumerate(self._image)
            )
        elif settings != self._settings:
            self._krylov = tuple(lanczos.reopened(state) for state in self._krylov)
        self._settings = settings
        with product_bar(max_iter) as on_step:
            lanczos.lanczos(
                self._operator, self._krylov, search, max_products=max_iter, on_step=on_step
            )
        self._found = tuple(
            solvers.from_krylov(self._operator, state, item, search, self._surplus)
            for item, state in enumerate(self._krylov)
        )

    def _goes_on(self, settings: dict[str, Any]) -> bool:
        """Return whether `settings` continue the last search: only tolerances may differ."""
        return bool(self._krylov) and all(
            settings[name] == self._settings[name] for name in ("method", "k", "basis_size")
        )

    def _operator(self, vectors: Tensor, items: Sequence[int]) -> tuple[Tensor, Tensor]:
        products, energies = self._linear.gram(vectors, items)
        good = (torch.isfinite(energies) & torch.isfinite(products).all(dim=1)).tolist()
        bad = [item for item, fine in zip(items, good, strict=True) if not fine]
        if bad:
            raise not_finite(min(bad))
        return products, energies

    def _stacked(self, name: str) -> Tensor:
        if not self._found:
            return self._image.new_empty(0)
        every = torch.stack([getattr(found.pairs, name) for found in self._found])
        return every.to(self._image.dtype).squeeze(0)

    def _refuse_batch(self, what: str) -> None:
        if len(self._image) != 1:
            raise InputError(
                f"{what} needs one image (batch of 1) and this batch has {len(self._image)}; use "
                "method='lanczos', or one object for each image"
            )
