"""Pictures of figures at half their size, and how far two of them differ."""

from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

BASELINES = Path(__file__).parent / "baselines"
#: matplotlib's own font, not fitted to whole pixels, which every version of FreeType does in its own way.
STYLE = {"font.family": "DejaVu Sans", "text.hinting": "none"}
#: Grey levels, of 255.
MOST_RMS, MOST_IN_A_BLOCK = 3.0, 45.0
_BLOCK = 4  # pixels of a picture, 8 of the figure: about a letter


def file_name(name: str) -> str:
    """Return the name of a figure as that of a file, without its ending."""
    return name.replace(" ", "_").replace("'", "_")


def baseline_of(name: str) -> Path:
    """Return the file of a figure."""
    return BASELINES / f"{file_name(name)}.png"


def picture_of(figure: Figure) -> np.ndarray:
    """Return a figure as it is on the screen, at half its size, shape (height, width, 3)."""
    canvas = FigureCanvasAgg(figure)
    with rc_context(STYLE):
        canvas.draw()
    return block_means(np.asarray(canvas.buffer_rgba())[..., :3].astype(np.float64), 2)


def block_means(pixels: np.ndarray, side: int) -> np.ndarray:
    """Return the means of square blocks of a picture (height, width, 3); incomplete ones are left out."""
    high, wide = (n // side for n in pixels.shape[:2])
    cut = pixels[: high * side, : wide * side]
    return np.asarray(cut.reshape(high, side, wide, side, 3).mean(axis=(1, 3)))


def store(name: str, figure: Figure) -> int:
    """Write the picture of a figure, and return the size of the file in bytes."""
    path = baseline_of(name)
    Image.fromarray(picture_of(figure).round().astype(np.uint8)).save(path, optimize=True)
    return path.stat().st_size


def stored(name: str) -> np.ndarray:
    """Return the stored picture of a figure, shape (height, width, 3)."""
    with Image.open(baseline_of(name)) as picture:
        return np.asarray(picture.convert("RGB")).astype(np.float64)


def difference(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Return the root mean square and the largest difference of the blocks of two pictures, in grey levels.

    Both are infinite if the pictures differ in size.
    """
    if one.shape != other.shape:
        return np.inf, np.inf
    off = np.abs(block_means(one, _BLOCK) - block_means(other, _BLOCK))
    return float(np.sqrt(np.square(off).mean())), float(off.max())
