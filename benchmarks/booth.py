"""Milliseconds that the booth needs for a scene: to compose, upload, draw and read it back.

Pictures of 256², 512² and 1024², in windows 64 pixels larger on each axis. All of this is done in the
blank before the first picture of a trial; the last column is the whole of it for a trial of ABX, which has
four different scenes. There is no target: where it takes longer than the blank, the blank is flagged.
"""

import os
import statistics
import time
from collections.abc import Callable

from experiments.scene import slides_of
from experiments.screen import Screen
from stimuli_store.tasks import task_named
from tests.experiments.made_trials import made_up

SIDES = (256, 512, 1024)
TIMES = 11


def milliseconds(call: Callable[[], object]) -> float:
    """Return the median time of a call, after one that does not count."""
    taken = []
    for _ in range(TIMES + 1):
        began = time.perf_counter()
        call()
        taken.append(1e3 * (time.perf_counter() - began))
    return statistics.median(taken[1:])


def main() -> int:
    """Print the table; return 0."""
    from experiments.booth.load import load_psychopy
    from experiments.booth.stage import open_stage
    from experiments.booth.virtual import virtual_display

    if not os.environ.get("DISPLAY"):
        virtual_display()
    psychopy = load_psychopy()
    print("milliseconds, median of", TIMES)
    print(f"{'picture':>12} {'compose':>9} {'upload':>9} {'draw':>9} {'read back':>9} {'trial':>9}")
    for side in SIDES:
        screen = Screen(size=(side + 64, side + 64))
        stage = open_stage(psychopy, screen)
        trial, frames = made_up(task_named("abx"), shape=(side, side), seed=side)

        def composed(trial=trial, frames=frames, screen=screen):
            return slides_of(task_named("abx"), trial, frames, screen, screen.size)

        pixels = {id(s.scene.pixels): s.scene.pixels for phase in composed() for s in phase}
        picture = composed()[1][0].scene.pixels
        quad = stage.upload(picture)

        def upload(stage=stage, picture=picture):
            stage.release(stage.upload(picture))
            psychopy.gl.glFinish()

        def draw(stage=stage, quad=quad):
            stage.draw(quad)
            psychopy.gl.glFinish()

        def prepare(stage=stage, pixels=pixels, composed=composed):
            composed()
            for one in pixels.values():
                loaded = stage.upload(one)
                stage.draw(loaded)
                stage.read()
                stage.clear()
                stage.release(loaded)

        times = [milliseconds(call) for call in (composed, upload, draw, stage.read, prepare)]
        times[0] /= len(pixels)
        print(f"{side:>7} x {side:<4}" + "".join(f"{ms:10.2f}" for ms in times))
        renderer = stage.describe()["renderer"]
        stage.close()
    print(f"compose is for one of {len(pixels)} scenes; on {renderer}")
    return 0
