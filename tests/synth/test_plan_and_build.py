"""From plan to bank: strict reading, certificates that can be recomputed, and builds that are killed."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stimsynth.banks.build import build
from stimsynth.banks.code_identity import code_of_this_package
from stimsynth.banks.models import make_model
from stimsynth.banks.plan import read_plan
from stimsynth.banks.work import prepare
from stimsynth.cli import main
from stimuli_store.bank.reading import Bank, open_bank
from stimuli_store.errors import BankExists, InputError
from tests import fresh

ROOT = Path(__file__).parents[2]
PLAN = """
[bank]
name = "small"
version = "1.0.0"
license = "CC0-1.0"

[targets]
images = ["camera", "grass"]
size = 32
ppd = 40

[models.pool]
use = "UniformPooling"

[models.pool6]
use = "UniformPooling"
params = { window_px = 6 }

[models.blur]
use = "Gaussian"
params = { kernel_size = 7, std = 2.0 }

[[sets]]
kind = "metamer"
model = "pool"
level = { window_px = [4, 16] }
seeds = [0, 7]
max_iter = 30
batch = 1
grid = "rounded"  # refining is tested with the recipes, and takes its time

[predict]
models = ["mse", "pool6", "blur"]
"""
#: The same work in fewer steps, for tests in which it does not matter where a synthesis ends.
FEW = PLAN.replace("max_iter = 30", "max_iter = 3")


def write_plan(folder: Path, text: str = PLAN) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "plan.toml"
    path.write_text(text)
    return path


def make(folder: Path, text: str = FEW) -> Bank:
    return build(write_plan(folder, text))


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return make(tmp_path_factory.mktemp("bank"), PLAN)


def test_a_bank_holds_what_the_plan_asked_for(bank: Bank) -> None:
    assert [r.name for r in bank.references.values()] == ["camera", "grass"]
    assert list(bank.sets) == [f"{t}/window_px={w}" for t in ("camera", "grass") for w in (4, 16)]
    seeds = [[m.start.seed for m in members if m.start] for members in bank.sets.values()]
    assert seeds == [[0, 7]] * 4
    assert bank.model_labels == ("mse", "pool6", "blur")
    assert len(bank.predictions.pairs) == 4 * 3  # sets x pairs of a target and two members
    assert len(bank.predictions.triples) == 4  # a target and two members
    assert len(bank.predictions) == 3 * (4 * 3 + 4)
    assert {r.license for r in bank.records} == {"CC0-1.0"}
    assert bank.header.ppd == 40


class Averages(torch.nn.Module):
    """Means of windows; of windows of 1 pixel, which keep all."""

    def __init__(self, window_px: int) -> None:
        super().__init__()
        self.window_px = window_px

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(image, int(self.window_px))


@pytest.mark.parametrize(("levels", "jobs"), [([1, 4], 0), ([4, 1], 1)])
def test_a_metamer_that_is_its_own_target_ends_a_build_at_once(
    tmp_path: Path, levels: list[int], jobs: int
) -> None:
    """On a smooth picture, with a remedy, before further batches are made; finished ones are kept."""
    ramp = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8) * 8
    Image.fromarray(ramp).save(tmp_path / "photo.png")
    kinds = {"kind": "metamer", "model": "averages", "level": {"window_px": levels}, "max_iter": 30}
    plan = {
        "bank": {"name": "small", "version": "1.0.0", "license": "CC0-1.0"},
        "targets": {"images": [str(tmp_path / "photo.png")], "license": "CC0-1.0"},
        "sets": [kinds],
    }
    why = (
        r"averages kept all of 'photo' at window_px=1: .* is its own target .* leave this level out"
    )
    with pytest.raises(InputError, match=why):
        build(plan, tmp_path, models={"averages": Averages})
    assert len(list((tmp_path / "jobs").glob("*.h5"))) == jobs
    assert not list(tmp_path.glob("*.h5"))


def test_a_metric_that_takes_no_picture_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    text = PLAN.replace('"mse", ', '"nlpd", ')
    with pytest.raises(
        InputError, match=r"nlpd does not take these pictures: .* 33 pixels or more"
    ):
        make(tmp_path, text)
    assert not (tmp_path / "jobs").exists()


def test_pixels_per_degree_are_part_of_the_work(tmp_path: Path) -> None:
    texts = (FEW, FEW.replace("ppd = 40", "ppd = 41"), FEW.replace("ppd = 40", ""))
    works = [prepare(read_plan(write_plan(tmp_path, text)), tmp_path).sha256 for text in texts]
    assert len(set(works)) == 3


def test_certificates_are_true_of_the_frames(bank: Bank) -> None:
    """Recomputed from the 8-bit frames with nothing of ours but the model."""
    for record in bank.records:
        if record.kind != "metamer":
            continue
        model = make_model(record.models["model"].name, record.models["model"].params).double()
        images = [bank.frame(key).pixels / 255.0 for key in (record.sha256, record.target)]
        one, goal = (model(torch.from_numpy(image)[None, None]).numpy() for image in images)
        distance = np.sqrt(np.mean((one - goal) ** 2))
        figures = record.certificate.figures
        assert figures["distance"] == pytest.approx(distance, rel=1e-9)
        assert figures["relative_distance"] == pytest.approx(
            distance / np.sqrt(np.mean(goal**2)), rel=1e-9
        )
        assert figures["distance"] < 0.1 * figures["start_distance"]
        assert figures["pixel_rms"] == pytest.approx(np.sqrt(np.mean((images[0] - images[1]) ** 2)))


def test_predictions_are_true_of_the_frames(bank: Bank) -> None:
    frames = {r.sha256: torch.from_numpy(bank.frame(r.sha256).pixels / 255.0) for r in bank.records}
    blur = make_model("Gaussian", {"kernel_size": 7, "std": 2.0}).double()
    distances = {label: bank.distances(label) for label in bank.model_labels}
    for a, b in bank.predictions.pairs:
        difference, pair = frames[a] - frames[b], frozenset((a, b))
        assert distances["mse"][pair] == pytest.approx(float((difference**2).mean()), rel=1e-9)
        expected = blur(difference[None, None]).square().mean().sqrt()
        assert distances["blur"][pair] == pytest.approx(float(expected), rel=1e-6)
    for target, a, b in bank.predictions.triples:
        to = [distances["blur"][frozenset((target, one))] for one in (a, b)]
        assert bank.preferences("blur")[target, a, b] == pytest.approx(to[1] - to[0], rel=1e-9)


def test_predictions_of_other_targets_are_those_of_every_member_with_every_target(
    tmp_path: Path,
) -> None:
    text = FEW.replace("[predict]", "[predict]\nother_targets = true")
    bank = make(tmp_path, text.replace('models = ["mse", "pool6", "blur"]', 'models = ["mse"]'))
    frames = {r.sha256: bank.frame(r.sha256).pixels / 255.0 for r in bank.records}
    distances = bank.distances("mse")
    members = [r.sha256 for r in bank.records if r.kind != "reference"]
    crossed = [(m, t) for m in members for t in (r.sha256 for r in bank.references.values())]
    assert len(bank.predictions.pairs) == 4 * 3 + len(members)
    for member, target in crossed:
        expected = np.mean((frames[member] - frames[target]) ** 2)
        assert distances[frozenset((member, target))] == pytest.approx(expected, rel=1e-9)


def test_larger_windows_leave_more_free(bank: Bank) -> None:
    mse = bank.distances("mse")
    for target in bank.references:
        small, large = (
            [mse[frozenset((target, m.sha256))] for m in members]
            for members in bank.sets.values()
            if members[0].target == target
        )
        assert max(small) < min(large)


def test_pixels_lie_in_range_exactly(bank: Bank) -> None:
    for record in bank.records:
        pixels = bank.pixels(record.sha256)
        assert pixels.min() >= 0
        assert pixels.max() <= 1
        assert record.certificate.clipped_fraction == 0


def test_a_job_file_of_another_spec_is_set_aside(tmp_path: Path) -> None:
    first = make(tmp_path)
    one, two, *others = sorted((tmp_path / "jobs").glob("*.h5"))
    whole = [job.read_bytes() for job in (one, two)]
    one.write_bytes(whole[1])
    stamps = [job.stat().st_mtime_ns for job in others]
    second = make(tmp_path, FEW.replace('"1.0.0"', '"1.1.0"'))
    assert one.with_suffix(".other").read_bytes() == whole[1]
    assert two.read_bytes() == whole[1]
    assert [job.stat().st_mtime_ns for job in others] == stamps
    assert [r.sha256 for r in second.records] == [r.sha256 for r in first.records]


def test_a_plan_that_changed_and_a_folder_that_cannot_be_written_change_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "out").close()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.h5")}
    plan = write_plan(tmp_path, FEW.replace("[0, 7]", "[0, 8]"))
    # Nobody can write there, not even root, whom the modes of other folders do not stop.
    for out, code, sentence in (("out", 3, "raise bank.version"), ("/sys/out", 1, "/sys/out")):
        assert main(["build", str(plan), "--out", str(tmp_path / out)]) == code
        errors = capsys.readouterr().err
        assert sentence in errors
        assert errors.startswith("stimsynth: ")
        assert errors.count("\n") == 1
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.h5")} == before


def test_building_again_does_nothing_and_another_plan_is_refused(tmp_path: Path) -> None:
    first = make(tmp_path)
    stamp = first.path.stat().st_mtime_ns
    assert make(tmp_path).pin == first.pin
    assert first.path.stat().st_mtime_ns == stamp
    with pytest.raises(BankExists, match=r"raise bank.version"):
        make(tmp_path, FEW.replace("seeds = [0, 7]", "seeds = [0, 8]"))


def test_another_licence_or_name_of_a_target_is_another_bank(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    for name in ("mine.png", "other.png"):
        Image.fromarray(pixels).save(tmp_path / name)
    text = FEW.replace('["camera", "grass"]', '["mine.png"]\nlicense = "CC0-1.0"', 1)
    make(tmp_path, text).close()
    for old, new in (('"]\nlicense = "CC0-1.0', '"]\nlicense = "CC-BY-4.0'), ("mine", "other")):
        assert old in text
        with pytest.raises(BankExists, match=r"raise bank.version"):
            make(tmp_path, text.replace(old, new))


def test_a_new_version_reuses_finished_stimuli_and_mends_damaged_ones(tmp_path: Path) -> None:
    first = make(tmp_path)
    jobs = sorted((tmp_path / "jobs").glob("*.h5"))
    assert len(jobs) == 8
    stamps = {job: job.stat().st_mtime_ns for job in jobs}
    os.truncate(jobs[3], 2000)
    jobs[5].write_bytes(b"")
    (tmp_path / "jobs" / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    second = make(tmp_path, FEW.replace('"1.0.0"', '"1.1.0"').replace("[4, 16]", "[4, 16, 32]"))
    assert len(second.records) == 2 + 12
    assert sum(job.stat().st_mtime_ns == stamps[job] for job in jobs) == 6
    assert all(jobs[i].with_suffix(".damaged").exists() for i in (3, 5))
    kept = {r.sha256 for r in first.records} & {r.sha256 for r in second.records}
    assert len(kept) >= len(first.records) - 2


def test_work_done_by_other_code_is_not_reused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = prepare(read_plan(write_plan(tmp_path, FEW)))
    code = {**code_of_this_package(), "source_sha256": "0" * 64}
    monkeypatch.setattr("stimsynth.banks.work.code_of_this_package", lambda: code)
    second = prepare(read_plan(write_plan(tmp_path, FEW)))
    keys = [{batch.key for batch in work.batches} for work in (first, second)]
    assert not keys[0] & keys[1]
    # What is published already is not called other contents for that; it is returned, with a word.
    made, said = make(tmp_path), []
    assert first.sha256 == second.sha256
    assert build(write_plan(tmp_path, FEW), say=said.append).pin == made.pin
    assert said == []
    monkeypatch.undo()
    assert build(write_plan(tmp_path, FEW), say=said.append).pin == made.pin
    assert "other code" in said[0]


def test_a_photograph_from_a_file_is_found_beside_the_plan(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(tmp_path / "mine.png")
    text = FEW.replace('["camera", "grass"]', '["mine.png"]').replace("[4, 16]", "[8]")
    bank = make(tmp_path, text.replace("size = 32", 'size = 32\nlicense = "CC-BY-4.0"'))
    (reference,) = bank.references.values()
    assert reference.name == "mine"
    assert reference.license == "CC-BY-4.0"
    assert reference.shape == (32, 32)


KILLED = """
import os, signal, sys
from pathlib import Path
import stimsynth.banks.jobs as b
from tests.synth.test_plan_and_build import make
make(Path(sys.argv[1]) / "none")  # what it imports is there for all that follow
write, written = b.write_job, []
def killed(path, *rest):
    write(path, *rest)
    os.write(1, (path.name + chr(10)).encode())
    written.append(path)
    if len(written) == last:
        os.kill(os.getpid(), signal.SIGKILL)
b.write_job = killed
for last in [int(word) for word in sys.argv[2:]]:
    if os.fork():
        _, status = os.wait()
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status
    else:
        make(Path(sys.argv[1]) / str(last))
        os._exit(0)
"""


@pytest.mark.long
def test_kill_9_loses_no_finished_stimulus(tmp_path: Path, bank: Bank) -> None:
    """Builds that are killed when this many of eight jobs are written."""
    kills = (1, 4, 8)
    child = fresh.run(["-c", KILLED, tmp_path, *kills], cwd=ROOT)
    assert child.returncode == 0, child.stderr
    written = iter(child.stdout.split())
    for after in kills:
        folder = tmp_path / str(after)
        jobs = [folder / "jobs" / next(written) for _ in range(after)]
        stamps = {job: job.stat().st_mtime_ns for job in jobs}
        assert not list(folder.glob("*.h5"))
        resumed = make(folder)
        assert all(job.stat().st_mtime_ns == stamp for job, stamp in stamps.items())
        open_bank(resumed.path, resumed.pin)
        assert [r.name for r in resumed.records] == [r.name for r in bank.records]
    assert next(written, None) is None


@pytest.mark.long
def test_ctrl_c_ends_with_130_and_the_next_run_goes_on(tmp_path: Path) -> None:
    plan = write_plan(
        tmp_path, PLAN.replace("max_iter = 30", "max_iter = 3000\nstop_criterion = 0")
    )
    child = fresh.Fresh(["-m", "stimsynth", "build", plan], cwd=ROOT)
    while not (tmp_path / "jobs").exists():
        assert not child.ended(), "the build ended before it could be stopped"
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(child.pid, signal.SIGINT)
    said = child.wait()
    # A shell sees 130 in both cases: where Ctrl-C meets an import, Python itself ends by the signal after us.
    assert said.returncode in (130, -signal.SIGINT)
    assert "the same command continues" in said.stderr
    assert not list(tmp_path.glob("*.h5"))


BAD = {
    "misspelt key": (PLAN.replace("seeds", "sedes"), "did you mean 'seeds'"),
    "unknown table": (PLAN + "\n[predictions]\n", "did you mean 'predict'"),
    "unknown kind": (
        PLAN.replace('kind = "metamer"', 'kind = "metamers"'),
        "did you mean 'metamer'",
    ),
    "no kind": (PLAN.replace('kind = "metamer"', ""), "needs a kind"),
    "no sets": (PLAN[: PLAN.index("[[sets]]")], "needs one table [[sets]]"),
    "unknown label": (PLAN.replace('model = "pool"', 'model = "poool"'), "did you mean 'pool'"),
    "unknown prediction": (
        PLAN.replace('["mse", "pool6"', '["msee", "pool6"'),
        "did you mean 'mse'",
    ),
    "two axes": (PLAN.replace("[4, 16] }", "[4, 16], x = [1] }"), "must name one axis"),
    "layer settings without a layer": (
        PLAN.replace('use = "Gaussian"', 'use = "Gaussian"\nchannels = 3'),
        "name the layer too",
    ),
    "no such file of models": (PLAN.replace('"Gaussian"', '"mine.py:blur"'), "there is no file"),
    "no such package": (
        PLAN.replace('"Gaussian"', '"nobody.here:blur"'),
        "no module 'nobody.here'",
    ),
    "gate below 0": (
        PLAN.replace("batch = 1", "batch = 1\ngates = { distance = -1 }"),
        "largest values",
    ),
    "on_miss": (PLAN.replace("batch = 1", 'batch = 1\non_miss = "ignore"'), "flag, retry, fail"),
    "colour": (PLAN.replace("size = 32", 'size = 32\ncolour = "cmyk"'), "gray, rgb"),
    "pixels per degree": (PLAN.replace("ppd = 40", "ppd = 0"), "targets.ppd must be a positive"),
    "colour that is not there": (
        PLAN.replace("size = 32", 'size = 32\ncolour = "rgb"').replace(', "grass"', ""),
        "has no colour",
    ),
    "unknown model": (PLAN.replace('"Gaussian"', '"Gausian"'), "did you mean 'Gaussian'"),
    "unknown argument": (PLAN.replace("std = 2.0", "sdt = 2.0"), "did you mean 'std'"),
    "level that is no argument": (
        PLAN.replace("{ window_px = [4, 16] }", "{ windows_px = [4, 16] }"),
        "did you mean",
    ),
    "missing key": (PLAN.replace('license = "CC0-1.0"', ""), "needs the key 'license'"),
    "wrong type": (PLAN.replace("max_iter = 30", 'max_iter = "many"'), "must have type int"),
    "no levels": (PLAN.replace("[4, 16]", "[]"), "one or more values"),
    "seed twice": (PLAN.replace("[0, 7]", "[7, 7]"), "one or more different numbers"),
    "no TOML": (PLAN + "\n= 3", "not valid TOML"),
    "unknown image": (PLAN.replace('"camera"', '"camrea"'), "did you mean 'camera'"),
    "missing file": (PLAN.replace('"camera"', '"photo.png"'), "there is no image file"),
    "image too small": (
        PLAN.replace("size = 32", "size = 4096").replace(', "grass"', ""),
        "too small for a size of 4096",
    ),
    "size the model cannot take": (PLAN.replace("size = 32", "size = 30"), "multiples of 4"),
    "name with a slash": (PLAN.replace('"small"', '"../small"'), "a bank's name must have"),
    "version": (PLAN.replace('"1.0.0"', '"1"'), "three numbers"),
    "level that is no number": (PLAN.replace("[4, 16]", "[4, nan]"), "finite numbers or words"),
    "levels alike": (PLAN.replace("[4, 16]", "[4.00000001, 4]"), "first six digits"),
    "window larger than the image": (PLAN.replace("[4, 16]", "[4, 40]"), "larger than an image"),
    "seed too large": (PLAN.replace("[0, 7]", "[0, 99999999999999999999]"), "from 0 to"),
    "negative criterion": (PLAN.replace("max_iter", "stop_criterion = -1\nmax_iter"), "0 or more"),
    "param of a wrong type": (PLAN.replace("std = 2.0", 'std = "wide"'), "Gaussian cannot be made"),
    "param that fails later": (
        PLAN.replace("window_px = 6", 'window_px = 6, energy_weight = "x"'),
        "pool6 fails on images of shape (1, 32, 32)",
    ),
    "param that is nan": (PLAN.replace("std = 2.0", "std = nan"), "std must be positive"),
    "model twice": (
        PLAN.replace('"pool6", "blur"', '"blur", "blur"'),
        "predict.models must be different",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_plan_gets_one_sentence_and_leaves_nothing(
    tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text, sentence = BAD[case]
    plan = write_plan(tmp_path, text)
    assert main(["build", str(plan)]) == 2
    errors = capsys.readouterr().err
    assert sentence in errors
    assert errors.startswith("stimsynth: ")
    assert errors.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["plan.toml"]


def test_a_missing_plan_gets_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(tmp_path / "none.toml")]) == 2
    assert "cannot read the plan" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (np.zeros((32, 32), np.uint8), ""),
        (np.zeros((32, 32, 3), np.uint8), ""),  # three equal channels are grey
        (np.zeros((40, 32), np.uint8), "32x40 pixels are cropped to the central 32x32"),
        (
            np.dstack([np.arange(1024).reshape(32, 32) % 256] * 2 + [np.zeros((32, 32))]),
            "colours become grey",
        ),
        (
            np.dstack([np.zeros((32, 48)), np.full((32, 48), 99)]),
            "transparent parts become mid-grey, 48x32 pixels are cropped to the central 32x32",
        ),
    ],
)
def test_a_plan_says_what_becomes_of_its_targets(
    tmp_path: Path, pixels: np.ndarray, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "photo.png")
    text = PLAN.replace('"camera", "grass"', '"photo.png"').replace("max_iter = 30", "max_iter = 1")
    text = text.replace("size = 32", 'size = 32\nlicense = "CC0-1.0"')
    plan = write_plan(tmp_path, text)
    work = prepare(read_plan(plan), tmp_path)
    assert work.changes == ((f"photo: {said}",) if said else ())
    assert main(["build", str(plan)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"target photo: {said}\n" if said else str(tmp_path))


def test_a_synthesis_that_ran_out_of_steps_is_flagged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PLAN.replace("max_iter = 30", "max_iter = 1").replace("[4, 16]", "[4]")
    bank = make(tmp_path, text)
    made = [record for members in bank.sets.values() for record in members]
    assert all(record.flags[0].startswith("unfinished: ") for record in made)
    assert main(["build", str(tmp_path / "plan.toml")]) == 0
    assert f"{len(made)} metamer: unfinished" in capsys.readouterr().out
