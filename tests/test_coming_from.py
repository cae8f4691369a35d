"""The tables for those who come from another package: each line runs, on both sides if the peer is there."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from stimsynth.images import DOWNLOADS
from tests.pages import blocks_of, run

pytestmark = pytest.mark.road

PAGES = Path(__file__).parents[1] / "docs" / "coming_from"
PEERS = {"plenoptic": "2.1.1", "pyrtools": "", "psychopy": "", "psignifit": ""}
NOTHING = "—"
#: Modules of PsychoPy that cannot be imported without a screen, and the files with their names.
NEED_A_SCREEN = {
    "visual": "visual/__init__.py",
    "event": "event.py",
    "gui": "gui/qtgui.py",
    "keyboard": "hardware/keyboard.py",
    "sound": "sound/__init__.py",
}
#: Every name of plenoptic's documents in version 1: module, then what is in it.
SEEDS = """
data: einstein curie parrot reptile_skin color_wheel fetch_data
data.data_utils: get get_path
data.fetch: fetch_data
metric: model_metric
metric.classes: NLP
metric.naive: mse
metric.perceptual_distance: ms_ssim nlpd normalized_laplacian_pyramid ssim ssim_map
simulate.canonical_computations.filters: circular_gaussian2d gaussian1d
simulate.canonical_computations.laplacian_pyramid: LaplacianPyramid
simulate.canonical_computations.non_linearities: local_gain_control local_gain_control_dict local_gain_release
simulate.canonical_computations.non_linearities: local_gain_release_dict polar_to_rectangular_dict
simulate.canonical_computations.non_linearities: rectangular_to_polar_dict
simulate.canonical_computations.steerable_pyramid_freq: SteerablePyramidFreq
simulate.models.frontend: LinearNonlinear LuminanceContrastGainControl LuminanceGainControl OnOff
simulate.models.naive: CenterSurround Gaussian Identity Linear
simulate.models.portilla_simoncelli: PortillaSimoncelli
synthesize.autodiff: jacobian jacobian_vector_product vector_jacobian_product
synthesize.eigendistortion: Eigendistortion display_eigendistortion fisher_info_matrix_eigenvalue
synthesize.eigendistortion: fisher_info_matrix_vector_product
synthesize.geodesic: Geodesic plot_deviation_from_line plot_loss
synthesize.mad_competition: MADCompetition animate display_mad_image display_mad_image_all plot_loss
synthesize.mad_competition: plot_loss_all plot_pixel_values plot_synthesis_status
synthesize.metamer: Metamer MetamerCTF animate display_metamer plot_loss plot_pixel_values
synthesize.metamer: plot_representation_error plot_synthesis_status
synthesize.simple_metamer: SimpleMetamer
synthesize.synthesis: OptimizedSynthesis Synthesis
tools.conv: blur_downsample correlate_downsample same_padding upsample_blur upsample_convolve
tools.convergence: coarse_to_fine_enough loss_convergence pixel_change_convergence
tools.data: convert_float_to_int load_images make_synthetic_stimuli polar_angle polar_radius to_numpy
tools.display: animshow clean_stem_plot clean_up_axes convert_anim_to_html imshow plot_representation pyrshow
tools.display: rescale_ylim update_plot update_stem
tools.external: plot_MAD_results
tools.optim: l2_norm mse penalize_range relative_MSE set_seed
tools.signal: add_noise autocorrelation center_crop expand interpolate1d make_disk maximum minimum
tools.signal: modulate_phase polar_to_rectangular raised_cosine rectangular_to_polar rescale shrink steer
tools.stats: kurtosis skew variance
tools.straightness: deviation_from_line make_straight_line sample_brownian_bridge translation_sequence
tools.validate: remove_grad validate_coarse_to_fine validate_input validate_metric validate_model
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of a table: the peer's old name, its expression, ours, and what differs."""

    name: str
    theirs: str
    ours: str
    differs: str


def rows_of(peer: str) -> Iterator[Row]:
    """Yield the lines of a page's tables; three columns have no old name."""
    for line in (PAGES / f"{peer}.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) in (3, 4) and re.match(r"`|—", cells[0]) and re.match(r"`|—", cells[-2]):
            *before, ours, differs = [
                cell.strip("`") if i < len(cells) - 1 else cell for i, cell in enumerate(cells)
            ]
            name = before[0] if len(before) == 2 else NOTHING
            yield Row(name=name, theirs=before[-1], ours=ours, differs=differs)


class NamesOf:
    """A module that cannot be imported here: the names that its file has."""

    def __init__(self, path: Path) -> None:
        self._text = path.read_text(encoding="utf-8")

    def __getattr__(self, name: str) -> str:
        if not re.search(rf"\b{name}\b", self._text):
            raise AttributeError(name)
        return name


@pytest.fixture(params=PEERS)
def peer(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    return str(request.param)


def faults(expressions: Iterable[str], names: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with each expression; they are evaluated one after another, each once."""
    for expression in dict.fromkeys(expressions):
        if expression != NOTHING:
            try:
                eval(expression, names)
            except Exception as error:  # noqa: BLE001 - which one it is, is the result
                yield f"{expression}: {type(error).__name__}: {error}"


@pytest.mark.filterwarnings("ignore")
def test_our_side_of_every_line_runs(peer: str) -> None:
    names = run(PAGES / f"{peer}.md")
    rows = list(rows_of(peer))
    assert len(rows) > 10
    assert list(faults((row.ours for row in rows), names)) == []


@pytest.mark.filterwarnings("ignore")
def test_their_side_of_every_line_runs_and_gives_the_same(peer: str) -> None:
    module = pytest.importorskip(peer)
    if PEERS[peer] and module.__version__ != PEERS[peer]:
        pytest.skip(f"the table is of {peer} {PEERS[peer]}")
    names = run(PAGES / f"{peer}.md")
    if peer == "psychopy":
        home = Path(str(module.__file__)).parent
        names |= {name: NamesOf(home / file) for name, file in NEED_A_SCREEN.items()}
    for block in blocks_of(PAGES / f"{peer}.md"):
        if block.language == "py":
            exec(block.text, names)
    rows = [row for row in rows_of(peer) if row.theirs != NOTHING]
    wrong = list(faults((row.theirs for row in rows), names))
    assert wrong == []
    different = [
        row.theirs
        for row in rows
        if row.differs.startswith("the same") and row.ours != NOTHING
        if not equal(numbers_of(alone(row.theirs, names)), numbers_of(alone(row.ours, names)))
    ]
    assert different == []


def alone(expression: str, names: dict[str, Any]) -> Any:
    """Return what an expression gives, without figures of pyplot on which it would go on drawing."""
    from matplotlib import pyplot

    pyplot.close("all")
    return eval(expression, names)


def numbers_of(result: Any) -> Any:
    """Return what results are compared by: numbers, the bars of a plot, or checksums of our files.

    A histogram is compared by number of values and the ends of the bars, since numbers of bins differ.
    """
    if hasattr(result, "patches"):
        bars = [bar.get_bbox() for bar in result.patches if bar.get_height() > 0]
        ends = [min(bar.x0 for bar in bars), max(bar.x1 for bar in bars)]
        return np.array([sum(bar.height for bar in bars), *ends])
    if callable(result):
        theirs = vars(import_module(result.__module__)).get("REGISTRY", {})
        ours = {name: file.sha256 for name, file in DOWNLOADS.items()}
        return {name: theirs.get(name) for name in ours} if theirs else ours
    assert isinstance(result, torch.Tensor | np.ndarray | float), result
    return result


def equal(theirs: Any, ours: Any) -> bool:
    """Return whether two results are the same numbers, in single precision, or the same texts by name."""
    if isinstance(theirs, dict):
        return bool(theirs == ours)
    one, two = (
        np.asarray(value.detach() if isinstance(value, torch.Tensor) else value)
        for value in (theirs, ours)
    )
    return bool(np.allclose(one.squeeze(), two.squeeze(), rtol=1e-3, atol=1e-3, equal_nan=True))


def test_every_name_of_the_seeds_is_in_the_table() -> None:
    listed = {row.name for row in rows_of("plenoptic")}
    for line in SEEDS.split("\n")[1:-1]:
        module, _, names = line.partition(": ")
        assert {f"{module}.{name}" for name in names.split()} <= listed


def test_every_name_of_plenoptic_is_in_the_table() -> None:
    module = pytest.importorskip("plenoptic")
    if module.__version__ != PEERS["plenoptic"]:
        pytest.skip("the table is of another version")
    text = " ".join(row.theirs for row in rows_of("plenoptic"))
    missing = [
        name for name in public(module, "po") if not re.search(rf"\b{re.escape(name)}\b", text)
    ]
    assert missing == []


def public(module: ModuleType, path: str) -> Iterator[str]:
    """Yield the full public names of a package's own functions and classes."""
    for name in dir(module):
        thing = getattr(module, name)
        if name.startswith("_"):
            continue
        if isinstance(thing, ModuleType):
            if thing.__name__.startswith("plenoptic.") and path.count(".") < 2:
                yield from public(thing, f"{path}.{name}")
        elif str(getattr(thing, "__module__", "")).startswith("plenoptic"):
            yield f"{path}.{name}"


def test_the_links_of_the_pages_are_names_that_exist() -> None:
    """Dotted names of ours in backquotes, also outside the tables."""
    for page in PAGES.glob("*.md"):
        for name in re.findall(
            r"`((?:stimsynth|analysis|experiments|stimuli_store)(?:\.\w+)+)", page.read_text()
        ):
            parts = name.split(".")
            if parts[1] == "tools":
                continue  # an old place, which the page says is an error
            thing: Any = None
            for end in range(len(parts), 0, -1):
                try:
                    thing = import_module(".".join(parts[:end]))
                except ModuleNotFoundError:
                    continue
                for part in parts[end:]:
                    thing = getattr(thing, part)
                break
            assert thing is not None, name


@pytest.mark.filterwarnings("ignore")
def test_slopes_beside_psignifits_are_per_unit_of_the_level() -> None:
    """Those of the page are derivatives of the fitted curve, and near psignifit's where it is installed."""
    names = run(PAGES / "psignifit.md")
    here = names["result_here"]
    rows = [row for row in rows_of("psignifit") if "slope" in row.theirs]
    ours = [eval(row.ours, names) for row in rows]
    for found, level in zip(ours, (1.5, here.threshold), strict=True):
        ends = level * np.array([0.999, 1.001])
        assert found == pytest.approx(np.diff(here.predict(ends))[0] / np.diff(ends)[0], rel=1e-4)
    pytest.importorskip("psignifit")
    for block in blocks_of(PAGES / "psignifit.md"):
        if block.language == "py":
            exec(block.text, names)
    theirs = [float(eval(row.theirs, names)) for row in rows]
    assert ours == pytest.approx(theirs, rel=0.05)  # the curves have another axis
    linear = names["fit_psychometric"](
        names["levels"], names["correct"], names["trials"], sigmoid="normal", axis="linear"
    )
    assert linear.slope_at(0.75).value == pytest.approx(theirs[1], rel=0.02)
    assert linear.threshold_at(0.75).value == pytest.approx(
        float(names["result"].threshold(0.75, return_ci=False)), rel=0.01
    )
