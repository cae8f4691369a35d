"""The tutorial on the steerable pyramid: filters, bands, steering, energy, and a network behind it."""

from functools import cache

import pytest
import torch
from torch import Tensor, nn

import stimsynth as ss
from stimsynth.transforms import SteerablePyramidFreq
from stimsynth.transforms.pyramids.layout import split_orientations

ORDER = 3


@cache
def im_batch() -> Tensor:
    return torch.cat([ss.images.load(name, size=256) for name in ("chelsea", "gravel")])


def test_filters_have_a_size_for_each_scale_and_a_direction_for_each_column() -> None:
    """Impulses in the middle of a band, put together again; the first column is vertical, the third flat."""
    pyr = SteerablePyramidFreq((64, 64), 3, ORDER)
    empty = split_orientations(pyr(torch.zeros(1, 1, 64, 64)))
    frequency = torch.fft.fftfreq(64)
    rows, columns = frequency[:, None].expand(64, 64), frequency.expand(64, 64)
    directions, coarseness = [], []
    bands = [key for key in empty if isinstance(key, tuple)]
    for key in bands:
        coefficients = {name: torch.zeros_like(band) for name, band in empty.items()}
        height, width = coefficients[key].shape[-2:]
        coefficients[key][0, 0, height // 2, width // 2] = 1
        energy = torch.fft.fft2(pyr.recon_pyr(coefficients, [key[0]], [key[1]])[0, 0]).abs() ** 2
        # Twice the angle, since a direction and its opposite are one.
        angle = torch.atan2(rows, columns)
        mean = torch.atan2((energy * (2 * angle).sin()).sum(), (energy * (2 * angle).cos()).sum())
        directions.append(mean.item() / 2 % torch.pi)
        coarseness.append((energy * (rows**2 + columns**2).sqrt()).sum() / energy.sum())
    assert bands == [(scale, band) for scale in range(3) for band in range(4)]
    for number, direction in enumerate(directions):
        off = abs(direction - torch.pi * (number % 4) / 4)
        assert min(off, torch.pi - off) < 0.02  # waves go across: the first filter is vertical
    by_scale = torch.stack(coarseness).view(3, 4).mean(1)
    assert (by_scale[:-1] / by_scale[1:]).tolist() == pytest.approx([2, 2], rel=0.15)


def test_bands_have_their_names_and_a_scale_can_be_had_alone() -> None:
    pyr = SteerablePyramidFreq((256, 256), 4, ORDER)
    coefficients = pyr(im_batch())
    assert im_batch().shape == (2, 1, 256, 256)
    assert list(split_orientations(coefficients)) == [
        "residual_highpass",
        *[(scale, band) for scale in range(4) for band in range(4)],
        "residual_lowpass",
    ]
    assert list(pyr.scales) == ["residual_lowpass", 3, 2, 1, 0, "residual_highpass"]
    alone = pyr(im_batch(), scales=[2])
    assert list(alone) == [2]
    torch.testing.assert_close(alone[2], coefficients[2])


def test_a_band_is_steered_through_a_whole_turn() -> None:
    pyr = SteerablePyramidFreq((256, 256), 3, ORDER)
    coefficients = pyr(im_batch())
    angles = torch.linspace(0, 1, 64, dtype=torch.float64) * 2 * torch.pi
    steered, weights = pyr.steer_coeffs(coefficients, angles.tolist())
    assert weights[2].shape == (4, 64)
    bands = steered[2]
    assert bands.shape == (2, 1, 64, 64, 64)
    torch.testing.assert_close(bands[:, :, 0], coefficients[2][:, :, 0], atol=1e-5, rtol=1e-4)
    # Bands of odd order change their sign with half a turn, and are back after a whole one.
    torch.testing.assert_close(bands[:, :, -1], bands[:, :, 0], atol=1e-5, rtol=1e-4)
    half, _ = pyr.steer_coeffs(coefficients, [torch.pi])
    torch.testing.assert_close(half[2][:, :, 0], -bands[:, :, 0], atol=1e-5, rtol=1e-4)
    mixed = torch.einsum("oa,bcohw->bcahw", weights[2].float(), coefficients[2])
    torch.testing.assert_close(bands, mixed, atol=1e-5, rtol=1e-4)


def test_bands_are_one_tensor_and_a_dictionary_again() -> None:
    pyr = SteerablePyramidFreq((256, 256), 3, ORDER, is_complex=True, downsample=False)
    coefficients = pyr(im_batch())
    fixed, info = pyr.convert_pyr_to_tensor(coefficients, split_complex=False)
    split, _ = pyr.convert_pyr_to_tensor(coefficients, split_complex=True)
    assert (split.shape, split.dtype) == ((2, 26, 256, 256), torch.float32)
    assert (fixed.shape, fixed.dtype) == ((2, 14, 256, 256), torch.complex64)
    again = split_orientations(pyr.convert_tensor_to_pyr(fixed, *info))
    same = [torch.equal(again[key], band) for key, band in split_orientations(coefficients).items()]
    assert same == [True] * 14


@pytest.mark.parametrize("tight_frame", [False, True])
def test_energy_is_that_of_bands_of_full_size_and_of_the_image(tight_frame: bool) -> None:
    energies = [
        {
            key: band.double().square().sum().item()
            for key, band in split_orientations(
                SteerablePyramidFreq(
                    (256, 256), 3, ORDER, downsample=downsample, tight_frame=tight_frame
                )(im_batch())
            ).items()
        }
        for downsample in (True, False)
    ]
    assert len(energies[0]) == 14
    for key, energy in energies[0].items():
        assert energies[1][key] == pytest.approx(energy, rel=1e-4, abs=1e-4)
    if tight_frame:
        whole = im_batch().double().square().sum().item()
        assert sum(energies[0].values()) == pytest.approx(whole, rel=1e-4)


class PyrConvFull(nn.Module):
    """The tutorial's network: a pyramid, a layer of convolutions, a layer of sums."""

    def __init__(self) -> None:
        super().__init__()
        self.pyr = SteerablePyramidFreq((28, 28), 2, order=4, downsample=False)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.conv = nn.Conv2d((4 + 1) * 2 + 2, 20, kernel_size=6, stride=2)
            self.fc = nn.Linear(20 * 12**2, 10)

    def forward(self, x: Tensor) -> Tensor:
        bands, _ = self.pyr.convert_pyr_to_tensor(self.pyr(x))
        return self.fc(self.conv(bands.relu()).relu().flatten(1))


def labelled(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return gratings of 28 × 28 pixels of ten directions, with noise: no data set has to be fetched."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 10, (count,), generator=generator)
    phases = torch.rand(count, generator=generator) * 2 * torch.pi
    angles = labels * torch.pi / 10
    places = torch.arange(28) - 13.5
    across = places * angles.cos()[:, None, None] + places[:, None] * angles.sin()[:, None, None]
    clean = (0.8 * across + phases[:, None, None]).sin() / 2 + 0.5
    return (clean + 0.4 * torch.randn(clean.shape, generator=generator))[:, None], labels


@pytest.mark.long
def test_a_network_behind_the_pyramid_learns() -> None:
    """Two epochs of Adam in batches of 50, as there; the pyramid itself has nothing to learn."""
    model = PyrConvFull()
    assert {name.split(".")[0] for name, _ in model.named_parameters()} == {"conv", "fc"}
    inputs, labels = labelled(1500, 0)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(2):
        for batch in torch.arange(1500).split(50):
            loss = nn.functional.cross_entropy(model(inputs[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert losses[0] == pytest.approx(2.3, abs=0.2)  # ten classes by chance
    assert sum(losses[-5:]) < 0.3 * sum(losses[:5])
    new, answers = labelled(300, 1)
    with torch.no_grad():
        correct = (model(new).argmax(1) == answers).float().mean()
    assert correct > 0.7
