"""Convergence of a synthesis: the tests of its stop rules, for your own scripts and methods."""

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor

from stimsynth.engine.history import History
from stimsynth.engine.stop import LossConvergence, PixelChangeConvergence
from stimuli_store.tools.whole import whole

__all__ = ["coarse_to_fine_enough", "loss_convergence", "pixel_change_convergence"]


class HasLosses(Protocol):
    """Interface of a synthesis with the objective at every iterate, (steps + 1, batch) or (steps + 1,)."""

    @property
    def losses(self) -> Tensor:
        """Objective at every iterate."""


class HasPixelChanges(Protocol):
    """Interface of a synthesis with the norm of every step, shape (steps + 1, batch) or (steps + 1,)."""

    @property
    def pixel_change_norm(self) -> Tensor:
        """Norm of the change of the image in each step."""


def loss_convergence(synth: HasLosses, stop_criterion: float, stop_iters_to_check: int) -> bool:
    """Return whether the loss of every image of a batch has stabilized.

    This holds if there were more than `stop_iters_to_check` steps and over the last `stop_iters_to_check` of
    them the loss L changed by at most ``stop_criterion * (L + L0 / 10000)``, where L0 is the loss at the
    start. ``synthesize`` stops by this rule.

    Parameters
    ----------
    synth
        A synthesis with `losses`.
    stop_criterion
        Largest change, relative to the loss.
    stop_iters_to_check
        Number of last steps to look at, 1 or more.

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
    """Return whether each of the last steps changed every image by less than a criterion.

    Parameters
    ----------
    synth
        A synthesis with `pixel_change_norm`.
    stop_criterion
        Norm of the change of an image in one step, in units of pixel values.
    stop_iters_to_check
        Number of last steps to look at, 1 or more; there must have been more steps than these.

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
    """Return whether a synthesis has taken enough steps on all scales together.

    Parameters
    ----------
    synth
        A synthesis of one image. If it has no `scales_timing` it is not coarse-to-fine, and the result is
        True.
    i
        Number of steps so far, over all calls of ``synthesize``.
    ctf_iters_to_check
        Number of steps on all scales that is enough.

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
    """Return measurements with a column per image, (steps + 1, batch), from these or from (steps + 1,)."""
    return rows[:, None] if rows.dim() == 1 else rows
