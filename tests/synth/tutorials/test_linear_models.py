"""The introduction's linear models: metamers from three starts, and what of a start is kept.

What a model is blind to has no part in its gradients, so this part of a start stays as it was. Only where
pixels meet an end of the range is there another force on it.
"""

from collections.abc import Callable, Sequence
from itertools import combinations

import pytest
import torch
from torch import Tensor

import stimsynth as ss
from tests.synth.tutorials import test_intro as intro
from tests.synth.tutorials.looks import (
    alike,
    apart,
    contrast_apart,
    grey_steps,
    left_over,
    part,
    photograph,
    unseen,
)
from tests.synth.tutorials.test_full_size import SOURCES, starts

Make = Callable[[], torch.nn.Module]
#: Half a grey level of a screen: a smaller change shows at no pixel.
HALF_STEP = 0.5 / 255
#: A range whose ends no pixel meets.
WIDE = (-20.0, 20.0)


def blur() -> torch.nn.Module:
    """Return the tutorial's blur as the library has it, which is faster; that they agree, a test says."""
    return ss.remove_grad(ss.Gaussian((31, 31), std=3.0, pad_mode="circular")).eval()


def check_metamers(found: Sequence[Tensor], target: Tensor, model: torch.nn.Module) -> None:
    """Check that outputs are one picture on a screen, and images others, a hundred times further apart."""
    seen = model(target)
    for image in found:
        assert grey_steps(model(image), seen) < 0.5
    for one, two in combinations([*found, target], 2):
        outputs = contrast_apart(model(one), model(two))
        assert contrast_apart(one, two) > 100 * outputs


@pytest.mark.parametrize("make", [blur, intro.center_surround])
def test_what_a_model_does_not_see_stays_to_rounding(make: Make) -> None:
    model, target = make().double(), intro.img().double()
    begun, blind = intro.init_img().double(), unseen(make(), intro.SIZE, 1e-6)
    metamer = ss.Metamer(target.repeat(3, 1, 1, 1), model, initial_image=begun, allowed_range=WIDE)
    metamer.synthesize(40, stop_criterion=1e-7)
    assert blind.double().mean() > 0.2
    for found, start in zip(metamer.metamer[:, None], begun[:, None], strict=True):
        assert apart(model(found), model(target)) < 2e-2
        assert apart(part(found, blind), part(start, blind)) < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize(("make", "steps"), [(blur, 170), (intro.center_surround, 1000)])
def test_three_metamers_show_all_that_the_model_does_not_see_of_their_starts(
    make: Make, steps: int
) -> None:
    target, model, begun = photograph("einstein", "bundled"), make(), starts("bundled")
    metamer = ss.Metamer(target.repeat(3, 1, 1, 1), model, initial_image=begun, allowed_range=WIDE)
    metamer.synthesize(steps, stop_criterion=1e-7)
    check_metamers(metamer.metamer[:, None], target, model)
    blind = unseen(model, 256)
    assert blind.double().mean() > 0.5
    for found, start in zip(metamer.metamer[:, None], begun[:, None], strict=True):
        assert part(found - start, blind).abs().max() < HALF_STEP


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
def test_metamers_of_a_blur_keep_their_starts_up_to_pixels_at_the_ends(source: str) -> None:
    """The tutorial's calls: 20 and 150 steps from white noise, 500 from pink noise and a photograph."""
    target, model = photograph("einstein", source), blur()
    blind, found = unseen(model, 256), []
    for start, calls in zip(starts(source)[:, None], ([20, 150], [500], [500]), strict=True):
        metamer = ss.Metamer(target, model, initial_image=start)
        for steps in calls:
            metamer.synthesize(
                max_iter=steps,
                stop_criterion=1e-7 if calls == [500] else 1e-4,
                store_progress=True,
            )
        found.append(metamer.metamer.detach())
        path = metamer.saved_metamer
        at_an_end = ((path == 0) | (path == 1)).any(dim=0)
        change = found[-1] - start
        # All that has changed of what the model is blind to is due to these pixels, not to as many others.
        assert left_over(change, at_an_end, blind).abs().max() < HALF_STEP
        elsewhere = left_over(change, at_an_end.roll((128, 128), (-2, -1)), blind)
        assert elsewhere.norm() > 0.5 * part(change, blind).norm()
        assert part(change, blind).abs().max() > 10 * HALF_STEP
        shown, kept, new = (part(x, blind) for x in (found[-1], start, target))
        assert alike(shown, kept) > abs(alike(shown, new))
    check_metamers(found, target, model)


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
def test_three_metamers_of_center_and_surround_in_one_call(source: str) -> None:
    target, model, begun = photograph("einstein", source), intro.center_surround(), starts(source)
    metamer = ss.Metamer(target.repeat(3, 1, 1, 1), model, initial_image=begun)
    metamer.synthesize(1000, stop_criterion=1e-7)
    check_metamers(metamer.metamer[:, None], target, model)
    blind = unseen(model, 256)
    for found, start in zip(metamer.metamer[:, None], begun[:, None], strict=True):
        shown, kept, new = (part(x, blind) for x in (found, start, target))
        assert alike(shown, kept) > abs(alike(shown, new))
    assert metamer.metamer.min() >= 0
    assert metamer.metamer.max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
def test_each_of_three_is_to_rounding_what_it_would_be_alone(source: str) -> None:
    """After a hundred steps; rounding errors grow with each, by the curvature that is learned from them."""
    target, begun = photograph("einstein", source).double(), starts(source).double()
    model = intro.center_surround().double()
    together = ss.Metamer(target.repeat(3, 1, 1, 1), model, initial_image=begun)
    together.synthesize(100, stop_criterion=1e-7)
    for i, start in enumerate(begun[:, None]):
        alone = ss.Metamer(target, model, initial_image=start)
        alone.synthesize(100, stop_criterion=1e-7)
        torch.testing.assert_close(together.metamer[i], alone.metamer[0], rtol=0, atol=1e-6)
        torch.testing.assert_close(together.losses[:, i], alone.losses[:, 0], rtol=1e-6, atol=0)
