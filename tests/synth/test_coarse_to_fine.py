"""Coarse to fine: the order of scales, who works on what when, and what is computed."""

import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from stimsynth import Metamer, MetamerCTF, PortillaSimoncelli, images
from stimsynth.engine.run import Status
from stimsynth.losses import l2_norm, mse
from stimuli_store.errors import InputError, LacksAttribute, WrongType


class Bands(nn.Module):
    """Means over squares of 16, 4 and 1 pixels: three scales, each a linear function of the image."""

    scales = ("coarse", "middle", "fine")
    sizes = (16, 4, 1)

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[object] = []

    def forward(self, image: Tensor, scales: object = None) -> Tensor:
        self.calls.append(None if scales is None else tuple(scales))  # type: ignore[arg-type]
        wanted = self.scales if scales is None else scales
        named = zip(self.scales, self.sizes, strict=True)
        parts = [nn.functional.avg_pool2d(image, s).flatten(1) for n, s in named if n in wanted]
        return torch.cat(parts, dim=1)[:, None]


def picture(name: str = "camera") -> Tensor:
    return images.load(name, size=32).double()


def test_together_adds_scales_from_the_coarsest_on() -> None:
    model = Bands()
    met = MetamerCTF(picture(), model, seed=1)
    assert met.scales == ("coarse", "middle", "all")
    assert met.scales_finished == ()
    assert met.scales_timing == {"coarse": [0], "middle": [], "all": []}
    model.calls.clear()
    met.synthesize(7, change_scale_criterion=None, ctf_iters_to_check=3)
    assert met.scales == ("all",)
    assert met.scales_finished == ("coarse", "middle")
    assert met.scales_timing == {"coarse": [0, 3], "middle": [3, 6], "all": [6]}
    assert met.scales_loss.shape == met.losses.shape == (8, 1)
    order = list(dict.fromkeys(model.calls))
    assert order == [("coarse",), ("coarse", "middle"), None]


def test_separate_takes_each_scale_alone() -> None:
    model = Bands()
    met = MetamerCTF(picture(), model, coarse_to_fine="separate", seed=1)
    model.calls.clear()
    met.synthesize(10, change_scale_criterion=None, ctf_iters_to_check=3)
    assert met.scales_timing == {"coarse": [0, 3], "middle": [3, 6], "fine": [6, 9], "all": [9]}
    assert list(dict.fromkeys(model.calls)) == [("coarse",), ("middle",), ("fine",), None]


def test_each_row_of_the_history_is_the_loss_of_the_scales_then_worked_on() -> None:
    model, met = Bands(), MetamerCTF(picture(), Bands(), seed=1)
    met.synthesize(7, store_progress=True, change_scale_criterion=None, ctf_iters_to_check=3)
    # Steps 1–3 are taken on the first problem, 4–6 on the second, 7 on the last.
    worked = [["coarse"]] * 4 + [["coarse", "middle"]] * 3 + [None]
    by_hand = [
        mse(model(x, scales=s), model(picture(), scales=s))
        for x, s in zip(met.saved_metamer[:, 0:1].squeeze(1), worked, strict=True)
    ]
    torch.testing.assert_close(met.scales_loss[:, 0], torch.stack(by_hand))


def test_a_scale_is_left_when_its_loss_changes_little() -> None:
    met = MetamerCTF(picture(), Bands(), seed=1)
    met.synthesize(
        200, torch.optim.Adam, change_scale_criterion=0.1, ctf_iters_to_check=4, stop_criterion=0.0
    )
    loss = met.scales_loss[:, 0]
    _, last = met.scales_timing["coarse"]
    small = [bool((loss[i - 4] - loss[i]).abs() <= 0.1 * loss[0]) for i in range(4, last + 1)]
    assert small == [False] * (len(small) - 1) + [True]


def test_a_linear_problem_ends_at_its_answer() -> None:
    met = MetamerCTF(picture(), Bands(), seed=1)
    met.synthesize(100, ctf_iters_to_check=4)
    torch.testing.assert_close(met.metamer, picture(), atol=1e-4, rtol=0)
    assert met.status[0] in (Status.CONVERGED, Status.PRECISE)
    assert met.scales == ("all",)


def test_it_does_not_stop_before_all_scales_had_their_steps() -> None:
    met = MetamerCTF(picture(), Bands(), seed=1)
    met.synthesize(
        500,
        optimizer=torch.optim.Adam,
        change_scale_criterion=None,
        ctf_iters_to_check=20,
        stop_criterion=1e9,
        stop_iters_to_check=1,
    )
    assert met.status == (Status.CONVERGED,)
    assert 55 <= met.run.n_steps - met.scales_timing["middle"][0] + 20 <= 61


@pytest.mark.parametrize("optimizer", [None, torch.optim.Adam], ids=["lbfgs", "adam"])
def test_two_legs_equal_one_in_the_middle_of_a_scale(tmp_path: Path, optimizer: object) -> None:
    def make() -> MetamerCTF:
        return MetamerCTF(picture(), Bands(), seed=3)

    settings = {"change_scale_criterion": None, "ctf_iters_to_check": 4}
    whole, first, later = make(), make(), make()
    whole.synthesize(14, optimizer=optimizer, **settings)
    first.synthesize(6, optimizer=optimizer, **settings)
    first.save(tmp_path / "m.h5")
    later.load(tmp_path / "m.h5")
    assert later.scales_timing == {"coarse": [0, 4], "middle": [4], "all": []}
    for met in (first, later):
        met.synthesize(8, **settings)
        assert torch.equal(met.metamer, whole.metamer)
        assert (
            met.scales_timing
            == whole.scales_timing
            == {"coarse": [0, 4], "middle": [4, 8], "all": [8]}
        )


def test_items_of_a_batch_change_scale_on_their_own() -> None:
    targets = torch.cat([picture(), picture("grass") * 0.02 + 0.5])
    starts = torch.cat([picture("brick"), picture("brick")])
    both = MetamerCTF(targets, Bands(), initial_image=starts)
    settings = {"change_scale_criterion": 0.3, "ctf_iters_to_check": 5}
    both.synthesize(60, optimizer=torch.optim.Adam, **settings)
    with pytest.raises(InputError, match="progress_of"):
        _ = both.scales
    for item in range(2):
        one = slice(item, item + 1)
        alone = MetamerCTF(targets[one], Bands(), initial_image=starts[one])
        alone.synthesize(60, optimizer=torch.optim.Adam, **settings)
        assert both.progress_of(item) == alone.progress_of(0)
        torch.testing.assert_close(both.metamer[one], alone.metamer, atol=1e-8, rtol=0)
    assert both.progress_of(0).timing != both.progress_of(1).timing


def test_a_representation_is_cut_to_scales() -> None:
    model = PortillaSimoncelli((32, 32), n_scales=2, n_orientations=2).double()
    texture = images.load("grass", size=32).double()
    by_image = MetamerCTF(texture, model, initial_image=picture())
    by_numbers = MetamerCTF(
        None, model, target_representation=model(texture), initial_image=picture()
    )
    for met in (by_image, by_numbers):
        met.synthesize(8, change_scale_criterion=None, ctf_iters_to_check=2)
    torch.testing.assert_close(by_numbers.metamer, by_image.metamer, atol=1e-6, rtol=0)


@pytest.mark.long
def test_texture_metamers_end_no_worse_than_all_at_once() -> None:
    model = PortillaSimoncelli((32, 32), n_scales=2)
    texture = images.load("grass", size=32)
    ctf, plain = (
        MetamerCTF(texture, model, l2_norm, seed=1),
        Metamer(texture, model, l2_norm, seed=1),
    )
    ctf.synthesize(80, change_scale_criterion=None, ctf_iters_to_check=7)
    plain.synthesize(80)
    assert ctf.losses[-1] < 2 * plain.losses[-1]
    assert ctf.scales_finished == tuple(model.scales[:-1])


class NoScales(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return image


class Unmoved(Bands):
    def forward(self, image: Tensor, scales: object = None) -> Tensor:
        return image


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (lambda: MetamerCTF(picture(), NoScales()), LacksAttribute, "no attribute scales"),
        (
            lambda: MetamerCTF(picture(), nn.Sequential()).synthesize(),
            LacksAttribute,
            "no attribute scales",
        ),
        (
            lambda: MetamerCTF(picture(), Unmoved()),
            InputError,
            "leave out the values of the other scales",
        ),
        (lambda: MetamerCTF(picture(), Bands(), coarse_to_fine="both"), InputError, "together"),
        (
            lambda: MetamerCTF(picture(), Bands()).synthesize(ctf_iters_to_check=0),
            InputError,
            "ctf_iters_to_check must be a whole number of 1",
        ),
        (
            lambda: MetamerCTF(
                None,
                Bands(),
                target_representation=Bands()(picture()),
                initial_image=picture(),
            ),
            InputError,
            "remove_scales",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make: object, error: type, sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        make()  # type: ignore[operator]


def test_a_model_that_takes_no_scales_is_refused() -> None:
    model = NoScales()
    model.scales = ["a", "b"]  # type: ignore[assignment]
    with pytest.raises(WrongType, match="takes no keyword scales"):
        MetamerCTF(picture(), model)


def test_a_copy_by_pickle_goes_on_as_its_original_does() -> None:
    original = MetamerCTF(picture(), Bands(), seed=1)
    original.synthesize(8, change_scale_criterion=None, ctf_iters_to_check=5)
    again = pickle.loads(pickle.dumps(original))
    for met in (original, again):
        met.synthesize(8, change_scale_criterion=None, ctf_iters_to_check=5)
    assert torch.equal(original.metamer, again.metamer)
    assert again.scales_finished == original.scales_finished
