"""Photographs for plenoptic's tests, from those in a checkout of it."""

from pathlib import Path

from PIL import Image

_FILES = {
    "256": {
        "curie.pgm": "curie.pgm",
        "einstein.pgm": "einstein.pgm",
        "metal.pgm": "reptile_skin.pgm",
        "nuts.pgm": "curie.pgm",
    },
    "mixed": {"Parrot.png": "parrot.png", "einstein.pgm": "einstein.pgm"},
}


def write_test_images(checkout: Path, folder: Path) -> Path:
    """Write photographs as they lie in the archive of the tests, and return their folder."""
    data = checkout / "src" / "plenoptic" / "data"
    for place, names in _FILES.items():
        (folder / place).mkdir(parents=True, exist_ok=True)
        for name, source in names.items():
            (folder / place / name).write_bytes((data / source).read_bytes())
    wheel = folder / "256" / "color_wheel.jpg"
    with Image.open(data / wheel.name) as picture:
        picture.resize((256, 256)).save(wheel)
    return folder
