"""Opinion scores: files in the layout of TID2013, and correlations with known answers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats
from torch import Tensor

from stimsynth.images import RatedImages, load_tid2013
from stimsynth.metrics import correlate_with_scores, ms_ssim, mse, nlpd, ssim
from stimuli_store.errors import InputError

RNG = np.random.default_rng(0)
SCORES = RNG.random((25, 24, 5)) * 9


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs 1 and 25 with all distortions, of 48 × 48 pixels; names in both cases, as published."""
    folder = tmp_path_factory.mktemp("tid2013")
    for part in ("reference_images", "distorted_images"):
        (folder / part).mkdir()
    (folder / "mos.txt").write_text("".join(f"{score:.5f}\n" for score in SCORES.ravel()))
    for number, first in ((1, "I"), (25, "i")):
        pixels = RNG.integers(60, 190, (48, 48, 3))
        save(folder / "reference_images" / f"{first}{number:02}.BMP", pixels)
        for kind in range(1, 25):
            for level in range(1, 6):
                noise = RNG.normal(0, kind + level, pixels.shape)
                name = f"{first}{number:02}_{kind:02}_{level}.bmp"
                save(folder / "distorted_images" / name, pixels + noise)
    return folder


def save(path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)


def grey(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)) @ np.array([0.2125, 0.7154, 0.0721]) / 255


def test_files_are_read_in_the_order_of_their_scores(made: Path) -> None:
    first, last = load_tid2013(made, references=[1, 25], distortions=[3, 24])
    for rated, number, letter in ((first, 1, "I"), (last, 25, "i")):
        assert rated.reference.shape == (1, 1, 48, 48)
        assert rated.distorted.shape == (2, 5, 1, 48, 48)
        np.testing.assert_allclose(rated.scores, SCORES[number - 1][[2, 23]], atol=1e-5)
        there = grey(made / "distorted_images" / f"{letter}{number:02}_24_3.bmp")
        np.testing.assert_allclose(rated.distorted[1, 2, 0], there, atol=1e-6)
        there = grey(made / "reference_images" / f"{letter}{number:02}.BMP")
        np.testing.assert_allclose(rated.reference[0, 0], there, atol=1e-6)


def test_distortions_of_colour_are_left_out(made: Path) -> None:
    (rated,) = load_tid2013(made, references=[1])
    kept = np.delete(np.arange(24), [1, 17])
    assert rated.distorted.shape[:2] == (22, 5)
    np.testing.assert_allclose(rated.scores, SCORES[0, kept], atol=1e-5)


def test_missing_files_and_wrong_numbers_get_a_sentence(made: Path, tmp_path: Path) -> None:
    for arguments, sentence in (
        ({"references": [26]}, "references must be numbers from 1 to 25; not"),
        ({"distortions": []}, "distortions must be numbers from 1 to 24"),
        ({"distortions": [0]}, "distortions"),
        ({"references": [1.5]}, "references must be whole numbers"),
        ({"distortions": ["3"]}, "distortions must be whole numbers"),
    ):
        with pytest.raises(InputError, match=sentence):
            load_tid2013(made, **arguments)
    with pytest.raises(InputError, match=r"i02.bmp"):
        list(load_tid2013(made, references=[2]))
    (tmp_path / "mos.txt").write_text("5.5\n" * 7)
    with pytest.raises(InputError, match="must hold 3000 numbers"):
        load_tid2013(tmp_path)
    (tmp_path / "mos.txt").write_text("5.5\n" * 3000)
    with pytest.raises(InputError, match="there is no folder"):
        list(load_tid2013(tmp_path))


def rmse(x: Tensor, y: Tensor) -> Tensor:
    return mse(x, y).sqrt()


def test_correlations_are_scipys_over_all_images(made: Path) -> None:
    metrics = {"RMSE": rmse, "SSIM": lambda x, y: 1 - ssim(x, y), "NLPD": nlpd}
    found = correlate_with_scores(metrics, load_tid2013(made, references=[1, 25]))
    assert list(found) == list(metrics)
    kept = np.delete(np.arange(24), [1, 17])
    opinions = SCORES[[0, 24]][:, kept].round(5)
    for name, agreement in found.items():
        assert agreement.distances.shape == (2, 22, 5)
        np.testing.assert_allclose(agreement.scores, opinions)
        flat = agreement.distances.ravel()
        assert agreement.pearson == pytest.approx(stats.pearsonr(-opinions.ravel(), flat)[0])
        assert agreement.spearman == pytest.approx(stats.spearmanr(-opinions.ravel(), flat)[0])
        (last,) = load_tid2013(made, references=[25], distortions=[24])
        direct = metrics[name](last.reference, last.distorted[0, 4:])
        assert agreement.distances[1, -1, -1] == pytest.approx(direct.item(), rel=1e-5)


@pytest.mark.long
def test_an_observer_who_sees_as_a_metric_agrees_with_it_most() -> None:
    """Scores fall with the NLPD of each image: ranks agree fully, and no other metric does as well."""
    generator = torch.Generator().manual_seed(0)
    items = []
    for _ in range(3):
        reference = torch.rand(1, 1, 176, 176, generator=generator) * 0.6 + 0.2
        light = torch.rand(4, 5, 1, 1, 1, generator=generator) * 0.2
        noise = torch.randn(4, 5, 1, 176, 176, generator=generator)
        size = torch.rand(4, 5, 1, 1, 1, generator=generator) * 0.1
        distorted = (reference + light + size * noise).clamp(0, 1)
        seen = nlpd(reference, distorted.flatten(0, 1)).reshape(4, 5)
        scores = (9 - 20 * seen.double() ** 0.5).numpy()
        items.append(RatedImages(reference=reference, distorted=distorted, scores=scores))
    others = {"RMSE": rmse, "MS-SSIM": lambda x, y: 1 - ms_ssim(x, y)}
    found = correlate_with_scores({"NLPD": nlpd, **others}, items)
    assert found["NLPD"].spearman == pytest.approx(1)
    assert found["NLPD"].pearson > 0.95
    assert all(found[name].spearman < found["NLPD"].spearman for name in others)


def test_what_is_no_distance_of_each_image_is_refused() -> None:
    rated = RatedImages(
        reference=torch.zeros(1, 1, 8, 8),
        distorted=torch.ones(1, 2, 1, 8, 8),
        scores=np.array([[2.0, 1.0]]),
    )
    for metric in (lambda x, y: (x - y).sum(), lambda x, y: mse(x, y) / 0):
        with pytest.raises(InputError, match="one finite value for each of 2 images; 'odd'"):
            correlate_with_scores({"odd": metric}, [rated])
    with pytest.raises(InputError, match="no rated images"):
        correlate_with_scores({"MSE": mse}, [])
