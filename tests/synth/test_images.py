"""Image files, bundled photographs and conversions."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from stimsynth import images
from stimsynth.images import (
    bundled,
    convert_float_to_int,
    get,
    get_path,
    load,
    load_images,
    save,
    save_images,
    to_numpy,
)
from stimsynth.seeding import set_seed
from stimuli_store.errors import InputError

GREY = np.array([[0, 51, 102], [153, 204, 255]], dtype=np.uint8)
COLOR = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=-1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two images, a text file, and a folder with another image."""
    Image.fromarray(GREY).save(tmp_path / "b.png")
    Image.fromarray(COLOR).save(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "inner").mkdir()
    Image.fromarray(GREY).save(tmp_path / "inner" / "c.png")
    return tmp_path


def luminance(color: np.ndarray) -> np.ndarray:
    red, green, blue = (color[..., i] / 255 for i in range(3))
    return 0.2125 * red + 0.7154 * green + 0.0721 * blue


def test_a_folder_gives_its_images_in_order_and_nothing_else(folder: Path) -> None:
    batch = load_images(folder)
    assert batch.dtype == torch.float32
    np.testing.assert_allclose(batch[:, 0], [luminance(COLOR), GREY / 255], atol=1e-7)
    assert torch.equal(load_images(str(folder)), batch)
    assert torch.equal(load_images([folder / "a.png", str(folder / "b.png")]), batch)


def test_colour_stays_colour_on_request(folder: Path) -> None:
    batch = load_images(folder / "a.png", as_gray=False)
    np.testing.assert_allclose(batch[0], (COLOR / 255).transpose(2, 0, 1), atol=1e-7)
    assert load_images(folder / "b.png", as_gray=False).shape == (1, 1, 2, 3)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "F"])
def test_every_kind_of_file_is_read_on_one_scale(tmp_path: Path, mode: str) -> None:
    """White is 1 and black is 0, whatever the number of bits, palette or alpha channel."""
    path = tmp_path / ("image.tif" if mode in ("F", "I;16") else "image.png")
    pattern = np.array([[0, 255], [255, 0]], dtype=np.uint8)
    if mode == "I;16":
        Image.fromarray(pattern.astype(np.uint16) * 257).save(path)
    elif mode == "F":
        Image.fromarray(pattern.astype(np.float32) / 255).save(path)
    else:
        Image.fromarray(pattern).convert("RGB").convert(mode).save(path)
    np.testing.assert_allclose(load_images(path)[0, 0], pattern / 255, atol=1e-6)


def test_sixteen_bits_keep_their_precision(tmp_path: Path) -> None:
    values = np.array([[0, 1, 32768, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    np.testing.assert_allclose(load_images(tmp_path / "deep.png")[0, 0], values / 65535, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda f: load_images(f / "none.png"), "no image file.*none.png"),
        (lambda f: load_images(f / "notes.txt"), "notes.txt cannot be read as an image"),
        (lambda f: load_images([f / "a.png", f / "notes.txt"]), "cannot be read"),
        (lambda f: load_images([]), "no readable image"),
        (lambda f: load_images([f / "a.png", f / "b.png"], as_gray=False), r"a.png.*\(3, 2, 3\)"),
        (lambda f: load_images([f / "a.png", get_path("camera")]), r"\(1, 2, 3\).*crop or resize"),
        (lambda f: save(f / "x.png", torch.zeros(2, 1, 4, 4)), "use save_images"),
        (lambda f: save(f / "x.png", torch.full((4, 4), float("nan"))), r"\[0, 1\].*nan"),
        (lambda f: save(f / "x.png", torch.full((4, 4), float("inf"))), r"\[0, 1\].*inf"),
        (lambda f: save(f / "x.png", torch.full((4, 4), 1.7)), r"\[1.7, 1.7\].*rescale or clamp"),
        (lambda f: save(f / "x.png", torch.full((4, 4), -2e-6)), r"\[0, 1\]"),
        (lambda f: save(f / "x.png", COLOR.transpose(2, 0, 1)), r"\[0, 1\].*divide integers"),
        (lambda f: save(f / "no" / "x.png", torch.zeros(4, 4)), "there is no folder .*no"),
        (lambda f: save(f, torch.zeros(4, 4)), "is a folder; give the name of a file"),
        (lambda f: save(f / "x.png", None), r"must be .*; not \(\)"),
        (lambda f: save(f / "x.png", np.full((4, 4), "a")), "must be real and not empty"),
        (lambda f: save_images(f, None), "must have shape"),
        (lambda f: save_images(f / "a.png", torch.zeros(1, 1, 4, 4)), "cannot be made: .*xists"),
        (lambda f: get_path("x", folder=f / "no"), "there is no folder"),
        (lambda f: images.get(3), "unknown image"),
        (lambda f: save_images(f, torch.full((1, 1, 4, 4), 255.0)), r"\[255, 255\]"),
        (lambda f: save_images(f, torch.zeros(2, 2, 4, 4)), "1 or 3"),
        (lambda f: save_images(f, torch.zeros(2, 1, 4, 4), ["one", "one"]), "all different"),
        (lambda f: save_images(f, torch.zeros(2, 1, 4, 4), ["one"]), "as many names"),
        *(
            (
                lambda f, name=name: save_images(f, torch.zeros(1, 1, 4, 4), [name]),
                "plain file names",
            )
            for name in ("../b", "/tmp/b", "in/b", "..\\b", "C:b", "")
        ),
    ],
)
def test_bad_files_and_images_get_a_sentence(
    folder: Path, call: Callable[[Path], object], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        call(folder)


@pytest.mark.parametrize("given", [None, 3, b"x.png", io.BytesIO(b"x"), ["camera", 3]])
@pytest.mark.parametrize(
    "call",
    [
        images.load,
        partial(images.load, as_gray=False),
        images.load_picture,
        load_images,
        lambda x: load_images([x]),
        lambda x: save(x, torch.zeros(4, 4)),
        lambda x: save_images(x, torch.zeros(1, 1, 4, 4)),
        lambda x: get_path("x", folder=[x]),
    ],
)
def test_what_is_no_file_name_is_said(call: Callable[[object], object], given: object) -> None:
    with pytest.raises(InputError, match=r"a file name must be text or a path; not [a-zA-Z]+$"):
        call(given)


def test_rounding_beyond_black_and_white_is_saved(tmp_path: Path) -> None:
    save(tmp_path / "x.png", np.array([[-1e-6, 1 + 1e-6], [0, 1]]))
    assert load_images(tmp_path / "x.png").flatten().tolist() == [0, 1, 0, 1]


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(InputError, match="no readable image"):
        load_images(tmp_path)


@settings(max_examples=25)
@given(
    channels=st.sampled_from([1, 3]),
    size=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    seed=st.integers(0, 99),
)
def test_what_is_saved_comes_back_to_the_nearest_grey_level(
    tmp_path_factory: pytest.TempPathFactory, channels: int, size: tuple[int, int], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("saved")
    batch = torch.rand(2, channels, *size, generator=torch.Generator().manual_seed(seed))
    paths = save_images(folder / "new", batch, ["b", "a"])
    assert [p.name for p in paths] == ["b.png", "a.png"]
    again = load_images(paths, as_gray=False)
    torch.testing.assert_close(again, batch, atol=0.5 / 255 + 1e-6, rtol=0)
    again_saved = save_images(folder / "twice", again)
    assert torch.equal(load_images(again_saved, as_gray=False), again)


def test_one_image_is_saved_whatever_its_leading_dimensions(tmp_path: Path) -> None:
    image = load("camera", size=32)
    for i, given_image in enumerate((image, image[0], image[0, 0], image[0, 0].numpy())):
        save(tmp_path / f"{i}.png", given_image)
        assert torch.equal(load(str(tmp_path / f"{i}.png")), image)
    color = get("coffee", as_gray=False)
    save(tmp_path / "color.png", color)
    assert torch.equal(load_images(tmp_path / "color.png", as_gray=False), color)


# -- bundled ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", bundled())
def test_bundled_photographs_are_grey_squares_of_known_licence(name: str) -> None:
    image = get(name)
    assert image.shape == (1, 1, 256, 256)
    assert image.dtype == torch.float32
    assert 0 <= float(image.min()) < 0.3 < 0.7 < float(image.max()) <= 1
    assert torch.equal(image, load(name))
    assert bundled()[name]["license"] in ("CC0-1.0", "public domain")


@pytest.mark.parametrize("name", [n for n, entry in bundled().items() if "color" in entry])
def test_colour_and_grey_show_the_same_scene(name: str) -> None:
    color, grey = get(name, as_gray=False), get(name)
    assert color.shape == (1, 3, 256, 256)
    mixed = (color * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    assert float((mixed - grey).abs().mean()) < 2 / 255
    assert float(color.std(dim=1).mean()) > 0.02  # there is colour in it
    assert torch.equal(get(f"{name}_color"), load_images(get_path(f"{name}_color"), as_gray=False))


def test_names_stack_in_order_and_colour_only_where_there_is_some() -> None:
    both = get("grass", "coffee")
    assert torch.equal(both, torch.cat([get("grass"), get("coffee")]))
    assert get("camera", as_gray=False).shape == (1, 1, 256, 256)
    assert get("coffee_color").shape == (1, 3, 256, 256)
    assert get("coffee_color", as_gray=True).shape == (1, 1, 256, 256)
    with pytest.raises(InputError, match=r"camera has.*coffee has"):
        get("camera", "coffee", as_gray=False)
    with pytest.raises(InputError, match="give one name"):
        get()


def test_a_path_is_found_by_name_whatever_the_ending(tmp_path: Path) -> None:
    for name in ("leaf.png", "stone.jpg", "stone.png", "leaf.json", "leaf.two.png"):
        (tmp_path / name).write_bytes(b"")
    assert get_path("leaf", folder=tmp_path).name == "leaf.png"
    with pytest.raises(AssertionError, match=r"2 files.*stone.jpg, stone.png"):
        get_path("stone", folder=tmp_path)
    with pytest.raises(AssertionError, match="did you mean 'leaf'"):
        get_path("lea", folder=tmp_path)
    with pytest.raises(AssertionError, match="unknown image 'images'"):
        get_path("images")  # the table of the photographs is none
    with pytest.raises(AssertionError, match="did you mean 'camera'"):
        get("camra")


def test_colour_is_loaded_by_name_or_path_in_any_size(tmp_path: Path) -> None:
    color = get("coffee", as_gray=False)
    assert torch.equal(load("coffee", as_gray=False), color)
    small = load("coffee", size=64, as_gray=False)
    blocks = color.reshape(1, 3, 64, 4, 64, 4).mean((3, 5))
    torch.testing.assert_close(small, blocks, atol=0.5 / 255 + 1e-6, rtol=0)
    save(tmp_path / "cup.png", color[..., :200])
    again = load(str(tmp_path / "cup.png"), size=200, as_gray=False)
    assert torch.equal(again, color[..., 28:228, :200])
    assert load("camera", size=32, as_gray=False).shape == (1, 1, 32, 32)
    for name, sentence in (("cofee", "did you mean 'coffee'"), ("none.png", "no image file")):
        with pytest.raises(InputError, match=sentence):
            load(name, as_gray=False)


# -- conversions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integers_survive_the_way_to_floats_and_back(dtype: type[np.unsignedinteger]) -> None:
    top = np.iinfo(dtype).max
    levels = np.arange(top + 1, dtype=dtype)
    for kind in (np.float32, np.float64):
        back = convert_float_to_int((levels / top).astype(kind), dtype)
        assert back.dtype == dtype
        np.testing.assert_array_equal(back, levels)


@pytest.mark.parametrize(
    ("values", "dtype", "sentence"),
    [
        ([0.0, 1.01], np.uint8, r"lie in \[0, 1.01\]"),
        ([-0.1, 1.0], np.uint8, "rescale or clamp"),
        ([np.nan], np.uint16, "nan"),
        ([0.5], np.int32, "np.uint8 or np.uint16; not int32"),
    ],
)
def test_what_cannot_become_integers_is_refused(
    values: list[float], dtype: type, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        convert_float_to_int(np.array(values), dtype)


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.complex64, torch.int16, torch.bool]
)
def test_tensors_become_arrays_of_their_type(dtype: torch.dtype) -> None:
    tensor = torch.arange(6).reshape(1, 2, 1, 3).to(dtype)
    array = to_numpy(tensor)
    assert array.dtype == torch.empty(0, dtype=dtype).numpy().dtype
    np.testing.assert_array_equal(array, np.arange(6).reshape(1, 2, 1, 3).astype(array.dtype))
    assert to_numpy(tensor, squeeze=True).shape == (2, 3)
    assert to_numpy(array, squeeze=True).shape == (2, 3)
    assert to_numpy(array) is array


def test_tensors_with_gradient_or_conjugation_become_arrays() -> None:
    z = torch.tensor([1 + 2j], requires_grad=True)
    np.testing.assert_array_equal(to_numpy(z.conj()), [1 - 2j])


def test_seeding_repeats_torch_and_numpy() -> None:
    def draw() -> list[float]:
        return [float(torch.rand(())), float(np.random.rand())]  # noqa: NPY002 (what is seeded)

    set_seed(5)
    first = draw()
    middle = draw()
    set_seed(5)
    assert draw() == first != middle


def test_the_public_names_are_there() -> None:
    assert set(images.__all__) <= set(dir(images))


def test_pictures_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    good, bad = torch.rand(1, 1, 8, 8), torch.full((1, 1, 8, 8), torch.nan)
    with pytest.raises(InputError, match=r"must lie in \[0, 1\]"):
        images.save_images(tmp_path / "new", torch.cat([good, bad]))
    with pytest.raises(InputError, match="plain file names"):
        images.save_images(tmp_path / "new", good, names=["a/b"])
    with pytest.raises(InputError, match="a list, one name for each image"):
        images.save_images(tmp_path / "new", torch.rand(2, 1, 8, 8), names="ab")
    assert not (tmp_path / "new").exists()
    path = tmp_path / "one.png"
    images.save(path, good)
    before = path.read_bytes()
    with pytest.raises(InputError):
        images.save(path, bad)
    with pytest.raises(InputError, match="must end in"):
        images.save(tmp_path / "one.jpg", good)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["one.png"]
