"""Save what the screen shows in every phase of every task, and a sheet of the phases of most tasks.

The scenes are those that the booth draws, to the pixel; no window is opened. The stimulus with the role
"p" is a photograph (CC0), "q" is the same with its pixels in random order within squares of 6 x 6.

Run it: python docs/make_task_sheet.py FOLDER docs/images/tasks.png
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from experiments.scene import slides_of
from experiments.screen import Screen
from stimuli_store.records.canonical import frame_id
from stimuli_store.records.trials import Trial
from stimuli_store.tasks import TASKS
from stimuli_store.tasks.trial_plan import arrange, phases_at
from stimuli_store.tasks.types import Task

PHOTOGRAPH = Path(__file__).parents[1] / "stimsynth" / "data" / "camera.png"
SIDE, SQUARE = 60, 6
SCREEN, SMALL = Screen(size=(320, 280)), Screen(size=(250, 180))  # of the files, and of the sheet
LEFT, GAP, CAPTION = 130, 6, 14
SHEET = (
    *("abx", "match-to-sample", "2ifc", "pair", "pair-with-reference", "mad-pair", "3afc"),
    *("oddity", "ring-oddity", "yes-no", "same-different", "4iax", "split-screen"),
)


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Return the photograph, and the same with its pixels in random order within squares."""
    whole = Image.open(PHOTOGRAPH).convert("L").crop((40, 8, 180, 148))
    photo = np.asarray(whole.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    n = SIDE // SQUARE
    squares = photo.reshape(n, SQUARE, n, SQUARE).swapaxes(1, 2).reshape(n * n, SQUARE**2)
    mixed = np.random.default_rng(2).permuted(squares, axis=1)
    mixed = mixed.reshape(n, n, SQUARE, SQUARE).swapaxes(1, 2).reshape(SIDE, SIDE)
    return photo, mixed


def scenes_of(task: Task, screen: Screen) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name of every phase of a trial, with its duration, and the window's pixels."""
    photo, mixed = pictures()
    by_role = {role.name: mixed if role.at else photo for role in task.roles}
    stimuli = {name: frame_id(frame) for name, frame in by_role.items()}
    intervals, answer = arrange(task, stimuli, task.cells[0])
    by_id = {frame_id(frame): frame for frame in by_role.values()}
    trial = Trial(
        index=0,
        task=task.name,
        rule=task.rules[0],
        stimuli=stimuli,
        intervals=intervals,
        answer=answer,
        phases=phases_at(task, screen.refresh_hz, np.random.default_rng(0)),
    )
    frames = {name: by_id[sha] for name, sha in intervals.items()}
    hint = "     ".join(f"{key}: {said}" for key, said in zip("123456", task.answers, strict=False))
    slides = slides_of(task, trial, frames, screen, screen.size, answer_hint=hint)
    for phase, (slide, *_) in zip(trial.phases, slides, strict=True):
        ms = "until the answer" if phase.requested_ms is None else f"{phase.requested_ms:g} ms"
        yield f"{phase.name}, {ms}", slide.scene.pixels


def sheet_of(rows: dict[str, list[tuple[str, np.ndarray]]]) -> Image.Image:
    """Return a picture of rows of scenes with their captions."""
    width, height = SMALL.size
    columns = max(map(len, rows.values()))
    across = LEFT + columns * (width + GAP)
    sheet = Image.new("L", (across, len(rows) * (height + CAPTION + GAP)), 255)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for row, (name, scenes) in enumerate(rows.items()):
        top = row * (height + CAPTION + GAP)
        draw.text((4, top + height // 2), name, 0, font)
        for column, (caption, pixels) in enumerate(scenes):
            left = LEFT + column * (width + GAP)
            sheet.paste(Image.fromarray(pixels), (left, top))
            draw.text((left + 2, top + height), caption, 0, font)
    return sheet


def main() -> None:
    """Write the pictures and the sheet."""
    folder, out = map(Path, sys.argv[1:3])
    for name, task in TASKS.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, (caption, pixels) in enumerate(scenes_of(task, SCREEN)):
            file = f"{number:02d}-{caption.partition(',')[0]}.png"
            Image.fromarray(pixels).save(folder / name / file, optimize=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet_of({name: list(scenes_of(TASKS[name], SMALL)) for name in SHEET}).save(out, optimize=True)


if __name__ == "__main__":
    main()
