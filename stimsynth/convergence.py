"""Whether a synthesis has converged: what its stop rules ask, for scripts and methods of one's own."""

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor

from stimsynth.engine.history import History
from stimsynth.engine.stop import LossConvergence, PixelChangeConvergence
from stimuli_store.tools.whole import whole

__all__ = ["coarse_to_fine_enough", "loss_convergence", "pixel_change_convergence"]


class HasLosses(Protocol):
    """A synthesis with the objective of every iterate, shape (steps + 1, batch) or (steps + 1,)."""

    @property
    def losses(self) -> Tensor:
        """The objective at every iterate."""


class HasPixelChanges(Protocol):
    """A synthesis with the norm of every step, shape (steps + 1, batch) or (steps + 1,)."""

    @property
    def pixel_change_norm(self) -> Tensor:
        """The norm of the change that led to every iterate."""


def loss_convergence(synth: HasLosses, stop_criterion: float, stop_iters_to_check: int) -> bool:
    """Say whether the loss of every item has stabilized.

    That is: there were more steps than `stop_iters_to_check`, and over the last of these the loss L changed
    by at most ``stop_criterion * (L + L0 / 10000)``, where L0 is the loss at the start. This is what
    ``synthesize`` stops by.

    Parameters
    ----------
    synth
        A synthesis with `losses`.
    stop_criterion
        Largest change, relative to the loss.
    stop_iters_to_check
        How many steps back to look, 1 or more.

    Raises
    ------
    InputError
        If `stop_iters_to_check` is below 1.

    Examples
    --------
    >>> from stimsynth import Gaussian, Metamer, images, remove_grad
    >>> met = Metamer(images.load("camera", size=32), remove_grad(Gaussian(7, 2.0)))
    >>> met.synthesize(20)
    >>> loss_convergence(met, 1e-4, 10), loss_convergence(met, 1e6, 10), loss_convergence(met, 1e6, 50)
    (False, True, False)
    """
    window = whole(stop_iters_to_check, "stop_iters_to_check", 1)
    losses = _by_item(synth.losses)
    if not len(losses):
        return False
    rule = LossConvergence(criterion=stop_criterion, window=window)
    return all(rule(History({"objective": losses})))


def pixel_change_convergence(
    synth: HasPixelChanges, stop_criterion: float, stop_iters_to_check: int
) -> bool:
    """Say whether every one of the last steps moved every item by less than a criterion.

    Parameters
    ----------
    synth
        A synthesis with `pixel_change_norm`.
    stop_criterion
        Norm of the change of an item's pixels in one step, in units of pixel values.
    stop_iters_to_check
        How many steps back to look, 1 or more; there must have been more steps than these.

    Raises
    ------
    InputError
        If `stop_iters_to_check` is below 1.

    Examples
    --------
    >>> from stimsynth import Gaussian, Metamer, images, remove_grad
    >>> met = Metamer(images.load("camera", size=32), remove_grad(Gaussian(7, 2.0)))
    >>> met.synthesize(20)
    >>> pixel_change_convergence(met, 1e-6, 5), pixel_change_convergence(met, 1e6, 5)
    (False, True)
    """
    window = whole(stop_iters_to_check, "stop_iters_to_check", 1)
    moved = _by_item(synth.pixel_change_norm)
    if not len(moved):
        return False
    rule = PixelChangeConvergence(criterion=stop_criterion, window=window)
    return all(rule(History({"pixel_change_norm": moved})))


def coarse_to_fine_enough(synth: Any, i: int, ctf_iters_to_check: int) -> bool:
    """Say whether synthesis has worked on all scales together for long enough.

    Parameters
    ----------
    synth
        A synthesis of one image. Without `scales_timing` it does not go from coarse to fine, and there is
        nothing to wait for.
    i
        Steps taken so far, over all calls of ``synthesize``.
    ctf_iters_to_check
        Steps that are enough.

    Examples
    --------
    >>> from stimsynth import MetamerCTF, PortillaSimoncelli, images
    >>> met = MetamerCTF(images.load("grass", size=64), PortillaSimoncelli((64, 64), n_scales=2))
    >>> met.synthesize(30, change_scale_criterion=None, ctf_iters_to_check=5)
    >>> met.scales_timing["all"], coarse_to_fine_enough(met, 24, 5), coarse_to_fine_enough(met, 25, 5)
    ([20], False, True)
    """
    taken, enough = whole(i, "i", 0), whole(ctf_iters_to_check, "ctf_iters_to_check", 0)
    timing: Mapping[Any, list[int]] | None = getattr(synth, "scales_timing", None)
    if timing is None:
        return True
    began = timing["all"]
    return bool(began) and taken - began[0] >= enough


def _by_item(rows: Tensor) -> Tensor:
    """Return measurements with a column for every item; those of one image may come without (steps + 1,)."""
    return rows[:, None] if rows.dim() == 1 else rows
