"""Files of films: movies by ffmpeg, and animated pictures by Pillow."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from stimsynth.plots.gif_frames import CLEAR, gif_frames
from stimuli_store.errors import InputError, MissingExtra, missing_extra

MOVIES = (".mp4", ".mov", ".mkv", ".avi")
ANIMATIONS = (".gif", ".png", ".apng", ".webp")
_KINDS: dict[str, tuple[str, dict[str, int]]] = {
    # What Pillow does to optimize a GIF takes as long as all the rest; disposal 1 leaves the frame before.
    ".gif": ("GIF", {"optimize": False, "transparency": CLEAR, "disposal": 1}),
    ".webp": ("WEBP", {}),
}


def write_movie(path: Path, frames: Iterator[np.ndarray], framerate: float) -> None:
    """Write frames to a movie (H.264, 4:2:0), which is compressed and not exact pixel by pixel.

    ffmpeg is also given the arguments in ``matplotlib.rcParams["animation.ffmpeg_args"]``.

    Parameters
    ----------
    path
        File; its ending chooses the container.
    frames
        Frames, uint8, shape (height, width, 4) each. Odd sides lose nothing: a white line is added.
    framerate
        Frames per second.

    Raises
    ------
    MissingExtra
        If ffmpeg is not installed.
    InputError
        If ffmpeg cannot write the file.
    """
    from matplotlib import rcParams

    program = ffmpeg()
    first = next(frames)
    height, width = first.shape[:2]
    source = ["-f", "rawvideo", "-pix_fmt", "rgba", "-s", f"{width}x{height}", "-r", f"{framerate}"]
    even = "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white"
    target = ["-vf", even, "-c:v", "libx264", "-pix_fmt", "yuv420p"]
    target += [*rcParams["animation.ffmpeg_args"], "-y", str(path)]
    with subprocess.Popen(
        [program, "-loglevel", "error", *source, "-i", "-", *target],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        try:
            process.stdin.write(first.tobytes())
            for frame in frames:
                process.stdin.write(frame.tobytes())
            process.stdin.close()
        except BrokenPipeError:  # ffmpeg says why
            pass
        said = process.stderr.read().decode(errors="replace").strip().split("\n")[-1]
    if process.returncode:
        raise InputError(f"ffmpeg could not write {path}: {said or 'it gave no reason'}")


def write_animation(
    path: Path, frames: Iterator[np.ndarray], framerate: float, samples: Sequence[np.ndarray]
) -> None:
    """Write frames to a GIF, an animated PNG (exact) or a WebP.

    Parameters
    ----------
    path
        File; its ending chooses the format.
    frames
        Frames, uint8, shape (height, width, 4) each.
    framerate
        Frames per second.
    samples
        Frames from which the 256 colours of a GIF are chosen.

    Raises
    ------
    MissingExtra
        If Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise missing_extra("a film of this kind needs Pillow", "synth") from error
    kind, settings = _KINDS.get(path.suffix, ("PNG", {"compress_level": 3}))
    if kind == "GIF":
        pictures = gif_frames(frames, samples)
    else:
        pictures = (Image.fromarray(frame[..., :3].copy()) for frame in frames)
    first = next(pictures)
    first.save(
        path,
        format=kind,
        save_all=True,
        append_images=pictures if kind == "GIF" else list(pictures),  # others read them twice
        duration=round(1000 / framerate),
        loop=0,
        **settings,
    )


def ffmpeg() -> str:
    """Return the path of ffmpeg: the one set in matplotlib, or else the one in imageio-ffmpeg.

    Raises
    ------
    MissingExtra
        If there is neither.
    """
    from matplotlib import rcParams

    path = rcParams["animation.ffmpeg_path"]
    if shutil.which(path):
        return str(path)
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return str(get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise MissingExtra(
            "a movie needs ffmpeg, which is not installed: install it (pip install imageio-ffmpeg), or "
            "save the film as .gif, .apng or .html"
        ) from error
