"""Scenes: every pixel of the window where it belongs, for every task; and what is refused."""

import re
from dataclasses import replace

import numpy as np
import pytest

from experiments.scene import check_scenes, slides_of
from experiments.screen import Position, Radius, Screen, positions
from stimuli_store.errors import DisplayError, InputError
from stimuli_store.records.canonical import frame_id
from stimuli_store.records.convert import from_json, to_json
from stimuli_store.tasks import TASKS, task_named
from stimuli_store.tasks.types import PhaseSpec, Show
from tests.experiments.made_trials import WINDOW, made_up

BARE = Screen(size=WINDOW, fixation="none")
GREY = 128

# Middle of every place from the middle of the window (y up), for pictures of 32 x 32: the gap is 24.
CENTRE = {"centre": (0, 0)}
BESIDE = {"left": (-28, 0), "right": (28, 0)}
AROUND = {"centre": (0, 0), "left": (-56, 0), "right": (56, 0)}
PLACES = {
    "abx": CENTRE,
    "match-to-sample": {**CENTRE, **BESIDE},
    "2ifc": CENTRE,
    "pair": BESIDE,
    "pair-with-reference": AROUND,
    "mad-pair": AROUND,
    "3afc": CENTRE,
    "oddity": CENTRE,
    "ring-oddity": {"ring-1": (0, 38), "ring-2": (33, -19), "ring-3": (-33, -19)},
    "ring-oddity-4": {
        "ring-1": (0, 56),
        "ring-2": (56, 0),
        "ring-3": (0, -56),
        "ring-4": (-56, 0),
    },
    "yes-no": CENTRE,
    "same-different": CENTRE,
    "4iax": CENTRE,
    "split-screen": CENTRE,
}
# Columns of a 32-pixel picture that a part shows.
COLUMNS = {"whole": slice(0, 32), "left-half": slice(0, 16), "right-half": slice(16, 32)}


def scenes(task, trial, frames, screen=BARE, size=WINDOW, **more):
    """The scene of every phase; only for tasks without ramps."""
    slides = slides_of(task, trial, frames, screen, size, **more)
    assert all(len(one) == 1 for one in slides)
    assert [one[0].n_frames for one in slides] == [phase.n_frames for phase in trial.phases]
    return [one[0].scene for one in slides]


@pytest.mark.parametrize("name", PLACES)
def test_pictures_stand_where_they_should_and_nothing_else_is_there(name):
    task = task_named(name)
    for cell in range(len(task.cells)):
        trial, frames = made_up(task, cell=cell)
        for phase, scene in zip(trial.phases, scenes(task, trial, frames), strict=True):
            expected = np.full((160, 200), GREY, np.uint8)
            for show in phase.shows:
                x, y = PLACES[name][show.place]
                frame = frames[show.interval]
                columns = COLUMNS[show.part]
                left, top = 100 + x - 16 + columns.start, 80 - y - 16
                expected[top : top + 32, left : left + columns.stop - columns.start] = frame[
                    :, columns
                ]
            if phase.shows or not phase.listens:
                np.testing.assert_array_equal(scene.pixels, expected)
            else:
                assert (scene.pixels != expected).any()  # the answer screen has its mark
            assert scene.hashes == {s.interval: frame_id(frames[s.interval]) for s in phase.shows}
            assert scene.hashes == {s.interval: trial.intervals[s.interval] for s in phase.shows}


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("shape", [(32, 32), (21, 34), (40, 17)])
def test_pictures_of_every_task_keep_apart_and_are_found_again(name, shape):
    task = task_named(name)
    trial, frames = made_up(task, shape=shape)
    size = (401, 300)
    check_scenes(task, [dict.fromkeys(frames, shape)], BARE, size)
    for phase, scene in zip(trial.phases, scenes(task, trial, frames, BARE, size), strict=True):
        if phase.shows:
            drawn = int((scene.pixels != GREY).sum())
            whole = sum(
                int((frames[s.interval] != GREY).sum()) * (0.5 if s.part != "whole" else 1.0)
                for s in phase.shows
            )
            assert abs(drawn - whole) <= 0.05 * whole  # nothing hidden, nothing twice


@pytest.mark.parametrize("m", [3, 4, 5, 6])
def test_a_ring_starts_at_the_top_and_goes_clockwise(m):
    name = "ring-oddity" if m == 3 else f"ring-oddity-{m}"
    screen = Screen(ring=Radius(px=100))
    found = positions(screen, task_named(name), (20, 20))
    for k in range(m):
        angle = 2 * np.pi * k / m
        expected = (100 * np.sin(angle), 100 * np.cos(angle))
        np.testing.assert_allclose(found[f"ring-{k + 1}"], expected, atol=0.51)


@pytest.mark.parametrize("radius", [37, 57, 101])
@pytest.mark.parametrize("m", [3, 4, 5, 6])
def test_a_ring_is_the_same_to_the_left_and_to_the_right(m, radius):
    task = task_named("ring-oddity" if m == 3 else f"ring-oddity-{m}")
    found = set(positions(Screen(ring=Radius(px=radius)), task, (20, 20)).values())
    assert {(-x, y) for x, y in found} == found


def test_two_halves_of_one_picture_make_the_picture():
    task = task_named("split-screen")
    trial, frames = made_up(task, shape=(21, 33), cell=0)
    same = dict.fromkeys(frames, frames["before-left"])
    before = scenes(task, trial, same, size=(201, 161))[1].pixels
    np.testing.assert_array_equal(before[70:91, 84:117], frames["before-left"])


@pytest.mark.parametrize("part", ["top-half", "bottom-half"])
def test_halves_above_and_below(part):
    split = task_named("split-screen")
    words = {"left-half": "top-half", "right-half": "bottom-half"}
    phases = tuple(
        replace(p, shows=tuple(replace(s, part=words[s.part]) for s in p.shows))
        for p in split.phases
    )
    task = replace(split, phases=phases)
    trial, frames = made_up(task, shape=(21, 32))
    found = scenes(task, trial, frames, size=(200, 161))[1].pixels
    frame = frames["before-left"]
    rows = slice(0, 10) if part == "top-half" else slice(10, 21)
    np.testing.assert_array_equal(found[70 + rows.start : 70 + rows.stop, 84:116], frame[rows])


@pytest.mark.parametrize(
    ("shape", "size", "px", "left", "top"),
    [
        ((32, 32), (200, 160), (0, 0), 84, 64),
        ((33, 31), (200, 160), (0, 0), 84, 63),
        ((33, 31), (201, 161), (0, 0), 85, 64),
        ((32, 32), (201, 161), (-7, 5), 77, 59),
        ((1, 1), (3, 3), (0, 0), 1, 1),
        ((160, 200), (200, 160), (0, 0), 0, 0),
        ((32, 32), (200, 160), (84, 64), 168, 0),
    ],
)
def test_odd_sizes_at_odd_places(shape, size, px, left, top):
    task = task_named("yes-no")
    trial, frames = made_up(task, shape=shape)
    screen = Screen(size=size, fixation="none", places={"centre": Position(px=px)})
    found = scenes(task, trial, frames, screen, size)[1].pixels
    frame = frames["picture"]
    expected = np.full((size[1], size[0]), GREY, np.uint8)
    expected[top : top + shape[0], left : left + shape[1]] = frame
    np.testing.assert_array_equal(found, expected)


def test_degrees_count_with_the_screens_pixels_before_the_banks():
    task = task_named("pair")
    places = {"left": Position(deg=(-1.5, 0.25)), "right": Position(px=(30, 0))}
    screen = Screen(places=places)
    assert positions(screen, task, (9, 9), 20.0)["left"] == (-30, 5)
    assert positions(replace(screen, ppd=40.0), task, (9, 9), 20.0)["left"] == (-60, 10)
    ring = Screen(ring=Radius(deg=2.0), ppd=30.0)
    assert positions(ring, task_named("ring-oddity"), (9, 9))["ring-1"] == (0, 60)


def cross_at(window, middle=(80, 100)):
    """Draw the fixation cross by hand: black lines of 14 by 2 pixels with a white edge of one pixel."""
    y, x = middle
    window[y - 2 : y + 2, x - 8 : x + 8] = window[y - 8 : y + 8, x - 2 : x + 2] = 255
    window[y - 1 : y + 1, x - 7 : x + 7] = window[y - 7 : y + 7, x - 1 : x + 1] = 0
    return window


@pytest.mark.parametrize("fixation", ["over", "under", "none"])
def test_the_fixation_mark_over_under_or_none(fixation):
    task = task_named("abx")
    trial, frames = made_up(task)
    screen = Screen(size=WINDOW, fixation=fixation)
    blank, a, *_, answer = (s.pixels for s in scenes(task, trial, frames, screen))
    grey = np.full((160, 200), GREY, np.uint8)
    picture = grey.copy()
    picture[64:96, 84:116] = frames["A"]
    np.testing.assert_array_equal(blank, grey if fixation == "none" else cross_at(grey.copy()))
    np.testing.assert_array_equal(a, cross_at(picture.copy()) if fixation == "over" else picture)
    assert not np.array_equal(answer, blank)


def test_under_means_that_pictures_elsewhere_leave_the_mark():
    task = task_named("pair")
    trial, frames = made_up(task)
    for fixation in ("over", "under"):
        found = scenes(task, trial, frames, Screen(size=WINDOW, fixation=fixation))[1].pixels
        expected = cross_at(np.full((160, 200), GREY, np.uint8))
        np.testing.assert_array_equal(found[72:88, 92:108], expected[72:88, 92:108])


@pytest.mark.parametrize(("background", "ink"), [(0.0, 255), (0.3, 255), (0.6, 0), (1.0, 0)])
def test_marks_differ_from_the_background(background, ink):
    task = task_named("yes-no")
    trial, frames = made_up(task)
    found = scenes(task, trial, frames, Screen(size=WINDOW, background=background))
    level = round(255 * background)
    assert {level, ink} <= set(np.unique(found[0].pixels)) <= {level, 0, 255}
    assert found[0].pixels[80, 100] == ink
    assert found[0].pixels[0, 0] == level


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("fixation", ["over", "none"])
def test_the_answer_screen_differs_from_every_other_scene_and_names_the_keys(name, fixation):
    task = task_named(name)
    trial, frames = made_up(task)
    screen = Screen(size=(400, 300), fixation=fixation)
    plain = scenes(task, trial, frames, screen, (400, 300))
    hinted = scenes(task, trial, frames, screen, (400, 300), answer_hint="F: first   J: second")
    asks = [p.listens and not p.shows for p in trial.phases]
    assert any(asks)
    for scene, with_text, asking in zip(plain, hinted, asks, strict=True):
        if asking:
            others = [s.pixels for s, a in zip(plain, asks, strict=True) if not a]
            assert not any(np.array_equal(scene.pixels, other) for other in others)
            text = with_text.pixels != scene.pixels
            assert text.sum() > 50
            assert text[:158].sum() == 0  # below the mark
        else:
            np.testing.assert_array_equal(scene.pixels, with_text.pixels)


@pytest.mark.parametrize("hint", ["x", "a word " * 60, "W" * 80])
@pytest.mark.parametrize("size", [(40, 30), (9, 9), (1, 1), (300, 200)])
def test_text_and_marks_in_a_window_of_any_size(hint, size):
    task = task_named("yes-no")
    trial, frames = made_up(task, shape=(1, 1))
    screen = Screen(size=size)
    assert (
        scenes(task, trial, frames, screen, size, answer_hint=hint)[-1].pixels.shape == size[::-1]
    )


@pytest.mark.parametrize("name", TASKS)
def test_a_mask_has_the_pictures_own_pixels_in_another_order(name):
    task = replace(task_named(name), mask_ms=100.0)
    trial, frames = made_up(task, index=3)
    found = scenes(task, trial, frames, BARE, (300, 300))
    again = scenes(task, trial, frames, BARE, (300, 300))
    other = scenes(task, replace(trial, index=4), frames, BARE, (300, 300))
    masks = [i for i, phase in enumerate(trial.phases) if phase.mask]
    assert masks
    for i in masks:
        picture, mask = found[i - 1].pixels, found[i].pixels
        assert found[i].hashes == {}
        np.testing.assert_array_equal(np.sort(picture, axis=None), np.sort(mask, axis=None))
        assert ((picture != GREY) | (mask != GREY)).sum() < 1.02 * (picture != GREY).sum()
        assert (picture != mask).sum() > 0.9 * (picture != GREY).sum()
        np.testing.assert_array_equal(mask, again[i].pixels)
        assert (mask != other[i].pixels).any()


def test_contrast_rises_and_falls_in_equal_steps_about_the_background():
    task = replace(task_named("yes-no"), ramp_ms=50.0)
    trial, frames = made_up(task)
    frames["picture"] = np.full((32, 32), 28, np.uint8)  # 100 below the background
    slides = slides_of(task, trial, frames, BARE, WINDOW)[1]
    assert [slide.n_frames for slide in slides] == [1, 1, 1, 6, 1, 1, 1]
    levels = [int(slide.scene.pixels[80, 100]) for slide in slides]
    assert levels == [103, 78, 53, 28, 53, 78, 103]
    assert [bool(slide.scene.hashes) for slide in slides] == [False] * 3 + [True] + [False] * 3
    assert all(slide.scene.pixels[0, 0] == GREY for slide in slides)


def test_a_picture_that_stays_until_the_answer_rises_only():
    pair = task_named("pair")
    phases = (pair.phases[0], replace(pair.phases[1], ms=None))
    task = replace(pair, phases=phases, ramp_ms=50.0)
    trial, frames = made_up(task)
    slides = slides_of(task, trial, frames, BARE, WINDOW)[1]
    assert [slide.n_frames for slide in slides] == [1, 1, 1, None]


def test_the_patch_is_white_with_pictures_and_black_without():
    task = replace(task_named("abx"), mask_ms=100.0)
    trial, frames = made_up(task)
    found = scenes(task, trial, frames, replace(BARE, patch_px=20))
    for phase, scene in zip(trial.phases, found, strict=True):
        white = bool(phase.shows) and not phase.mask
        assert set(np.unique(scene.pixels[140:, :20])) == {255 if white else 0}
        assert set(np.unique(scene.pixels[:20, :20])) == {GREY}  # the corner is the lower left one


def test_colour_makes_a_colour_scene_and_grey_stays_grey():
    task = task_named("pair")
    trial, frames = made_up(task, shape=(20, 30, 3))
    frames["right"] = frames["right"][..., 0]
    blank, both, _ = (s.pixels for s in scenes(task, trial, frames))
    assert (blank.shape, both.shape) == ((160, 200), (160, 200, 3))
    np.testing.assert_array_equal(both[70:90, 58:88], frames["left"])  # the gap is 24
    np.testing.assert_array_equal(both[70:90, 112:142], np.repeat(frames["right"][..., None], 3, 2))


def test_equal_scenes_share_their_pixels():
    task = task_named("abx")
    trial, frames = made_up(task)
    found = scenes(task, trial, frames)
    assert found[0].pixels is found[2].pixels
    assert found[5].pixels is found[1 if trial.answer == "A" else 3].pixels
    assert not found[0].pixels.flags.writeable


SHAPE = (32, 32)
FAR = {"left": Position(px=(-90, 0)), "right": Position(px=(90, 0))}
REFUSED = {
    # what: (task, shape, screen, sentence)
    "too large": ("abx", (161, 32), {}, "an image of 32 x 161 .* at 'centre' .* 200 x 160: .* 1 "),
    "at its place": ("pair", SHAPE, {"places": FAR}, "'left' .* reaches 6 pixels beyond the edge"),
    "side by side": ("pair", (32, 90), {}, "does not fit at 'left'"),
    "ring too large": ("ring-oddity-6", (60, 60), {}, "'ring-1' lies outside the window"),
    "overlap": (
        "pair",
        SHAPE,
        {"places": {"left": Position(px=(0, 0))}},
        "'left' at 'left' and 'right' at 'right' overlap by 128 pixels",
    ),
    "ring overlap": ("ring-oddity", SHAPE, {"ring": Radius(px=10)}, "overlap by .* pixels"),
    "outside": (
        "abx",
        SHAPE,
        {"places": {"centre": Position(px=(100, 0))}},
        "the place 'centre' lies outside the window of 200 x 160",
    ),
    "degrees": (
        "pair",
        SHAPE,
        {"places": {"left": Position(deg=(-2.0, 0.0))}},
        "the place 'left' is given in degrees, but .* set ppd",
    ),
    "ring in degrees": (
        "ring-oddity",
        SHAPE,
        {"ring": Radius(deg=2.0)},
        "the radius of the ring is given in degrees, but .* set ppd",
    ),
    "patch": (
        "abx",
        SHAPE,
        {"patch_px": 30, "places": {"centre": Position(px=(-70, -50))}},
        "lies under the patch of 30 pixels",
    ),
    "channels": ("abx", (32, 32, 4), {}, "grey .H, W. or colour .H, W, 3.; .*'A' is .32, 32, 4."),
    "half of nothing": ("split-screen", (32, 1), {}, "32 pixels cannot be divided into halves"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_shown_is_refused_in_one_sentence(case):
    name, shape, changes, sentence = REFUSED[case]
    task = task_named(name)
    screen = replace(BARE, **changes)
    with pytest.raises(DisplayError, match=sentence) as error:
        check_scenes(task, [dict.fromkeys(task.intervals, shape)], screen, WINDOW)
    assert "\n" not in str(error.value)
    if len(shape) == 2:
        trial, frames = made_up(task, shape=shape)
        with pytest.raises(DisplayError, match=re.escape(str(error.value))):
            slides_of(task, trial, frames, screen, WINDOW)


def test_the_places_that_fit_are_the_ones_that_are_shown():
    """On the very edge a picture fits, and one pixel further it does not."""
    task = task_named("yes-no")
    for x, y in ((84, 0), (-84, 0), (0, 64), (0, -64)):
        at = replace(BARE, places={"centre": Position(px=(x, y))})
        check_scenes(task, [{"picture": SHAPE}], at, WINDOW)
        beyond = Position(px=(x + np.sign(x).item(), y + np.sign(y).item()))
        with pytest.raises(DisplayError, match="reaches 1 pixels beyond"):
            check_scenes(task, [{"picture": SHAPE}], replace(at, places={"centre": beyond}), WINDOW)


def test_an_unknown_place_names_the_nearest_one():
    pair = task_named("pair")
    shows = (Show(interval="left", place="lefft"), Show(interval="right", place="right"))
    task = replace(pair, phases=(pair.phases[0], replace(pair.phases[1], shows=shows)))
    with pytest.raises(DisplayError, match="unknown place 'lefft'; did you mean 'left'"):
        check_scenes(task, [{"left": SHAPE, "right": SHAPE}], BARE, WINDOW)


def test_a_misspelt_place_of_the_screen_is_not_ignored():
    task = task_named("pair")
    screen = replace(BARE, places={"lefft": Position(px=(-40, 0))})
    with pytest.raises(DisplayError, match="unknown place of the task pair 'lefft'; did you mean"):
        check_scenes(task, [dict.fromkeys(task.intervals, SHAPE)], screen, WINDOW)
    shared = replace(BARE, places={"centre": Position(px=(3, 0)), "ring-4": Position(px=(0, 9))})
    check_scenes(task, [dict.fromkeys(task.intervals, SHAPE)], shared, WINDOW)


def test_halves_of_pictures_of_two_sizes_are_refused():
    task = task_named("split-screen")
    shapes = {name: (32, 32) if "left" in name else (30, 32) for name in task.intervals}
    with pytest.raises(DisplayError, match=r"at one place, .*32 x 32 and 32 x 30"):
        check_scenes(task, [shapes], BARE, WINDOW)


@pytest.mark.parametrize(
    ("ramp_ms", "tolerance_ms", "sentence"),
    [
        (100.0, 5.0, "the phase 'picture' of 200 ms is too short for two ramps of 100 ms"),
        (60.0, 5.0, "whole frames make it 66.7 ms"),
        (60.0, 7.0, None),
        (3.0, 5.0, "whole frames make it 0.0 ms"),
        (83.3, 5.0, None),
    ],
)
def test_ramps_are_whole_frames_and_leave_full_contrast(ramp_ms, tolerance_ms, sentence):
    task = replace(task_named("yes-no"), ramp_ms=ramp_ms)
    screen = replace(BARE, tolerance_ms=tolerance_ms)
    if sentence is None:
        check_scenes(task, [{"picture": SHAPE}], screen, WINDOW)
        return
    with pytest.raises(DisplayError, match=sentence):
        check_scenes(task, [{"picture": SHAPE}], screen, WINDOW)


def test_pictures_of_other_sizes_in_some_trials_are_found():
    task = task_named("abx")
    good, bad = (dict.fromkeys("ABX", shape) for shape in (SHAPE, (300, 300)))
    check_scenes(task, [good, good], BARE, WINDOW)
    with pytest.raises(DisplayError, match="300 x 300"):
        check_scenes(task, [good, good, bad], BARE, WINDOW)


SCREENS_REFUSED = {
    "rate": ({"refresh_hz": 0.0}, "refresh_hz must be a positive number"),
    "size": ({"size": [0, 10]}, "size must be width and height"),
    "screen": ({"screen": -1}, "screen must be 0 or more"),
    "background": ({"background": 128}, "between 0 .black. and 1"),
    "ppd": ({"ppd": -2.0}, "ppd must be a positive number"),
    "patch": ({"patch_px": 700}, "patch_px must be 0 or more and fit"),
    "tolerance": ({"tolerance_ms": -1.0}, "tolerance_ms must be 0 or more"),
    "fixation": ({"fixation": "above"}, "must be one of over, under, none"),
    "verify": ({"verify": "never"}, "must be one of rehearsal, ends, all"),
    "place of nothing": ({"places": {"left": {}}}, "either in pixels .px. or in degrees .deg."),
    "place twice": ({"places": {"a": {"px": [0, 0], "deg": [0, 0]}}}, "either in pixels"),
    "half a pixel": ({"places": {"a": {"px": [0.5, 0]}}}, "must have type int"),
    "three numbers": ({"places": {"a": {"px": [1, 2, 3]}}}, "must have 2 entries"),
    "not finite": ({"places": {"a": {"deg": [float("nan"), 0]}}}, "must be finite"),
    "ring": ({"ring": {"px": 0}}, "one radius above 0"),
    "misspelt": ({"plces": {}}, "'plces'; did you mean 'places'"),
}


@pytest.mark.parametrize("case", SCREENS_REFUSED)
def test_a_screen_that_cannot_be_is_refused(case):
    table, sentence = SCREENS_REFUSED[case]
    with pytest.raises(InputError, match=sentence):
        from_json(Screen, table, "the design.screen")


def test_a_screen_is_its_table():
    table = {
        "places": {"left": {"deg": [-6, 0]}, "far": {"px": [90, -3]}},
        "ring": {"px": 80},
        "verify": "all",
        "fixation": "under",
    }
    screen = from_json(Screen, table)
    assert screen.places["left"] == Position(deg=(-6.0, 0.0))
    assert from_json(Screen, to_json(screen)) == screen


def test_a_labs_own_places_are_used():
    pair = task_named("pair")
    shows = (Show(interval="left", place="far"), Show(interval="right", place="right"))
    task = replace(
        pair, phases=(pair.phases[0], PhaseSpec(name="p", ms=500.0, shows=shows, listens=True))
    )
    screen = Screen(places={"far": Position(px=(-50, 7))})
    assert positions(screen, task, (10, 10)) == {"far": (-50, 7), "right": (17, 0)}
