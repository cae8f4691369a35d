"""Write the frames of all sequences that a plan names: python frames.py small|published."""

import sys
import tomllib
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from stimsynth import images
from stimsynth.transforms import make_straight_line

#: How far the window moves, in half widths of the photograph, with its centre there half-way; its last scale.
MOTIONS = {"pan": (0.12, 1.0), "zoom": (0.0, 0.64)}
PHOTO, WINDOW = 192, 64


def moving_window(photograph: str, motion: str, n_frames: int) -> Tensor:
    """Return what a window sees that moves over a photograph, (n_frames, 1, 64, 64)."""
    shift, scale = MOTIONS[motion]
    photo = images.load(photograph, size=PHOTO).double()
    time = torch.linspace(0, 1, n_frames, dtype=torch.float64)
    zoom, none = WINDOW / PHOTO * scale**time, 0 * time
    rows = torch.stack([zoom, none, shift * (time - 0.5)]), torch.stack([none, zoom, none])
    places = affine_grid(
        torch.stack(rows).permute(2, 0, 1), [n_frames, 1, WINDOW, WINDOW], align_corners=False
    )
    return grid_sample(photo.expand(n_frames, -1, -1, -1), places, align_corners=False)


def write_frames(size: str) -> None:
    """Write the frames of a plan's sets, each into the folder that the set names.

    A set called "fade-…" holds a cross-fade between the ends of the motion, without the ends themselves,
    since a bank holds an image once.
    """
    folder = Path(__file__).parent / size
    for entry in tomllib.loads((folder / "plan.toml").read_text(encoding="utf-8"))["sets"]:
        _, faded, motion = entry["name"].rpartition("fade-")
        n_frames = entry["x_frames"]
        frames = moving_window(entry["target"], motion, n_frames)
        if faded:
            frames = make_straight_line(frames[:1], frames[-1:], n_frames + 1)[1:-1]
        names = [f"frame-{number}" for number in range(n_frames)]
        images.save_images(folder / entry["files"], frames, names)


if __name__ == "__main__":
    write_frames(sys.argv[1])
