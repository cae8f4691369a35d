"""Films of figures: each frame draws again only what moves."""

import base64
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from stimsynth.plots.blank import DPI, empty_figure
from stimsynth.plots.film_files import ANIMATIONS, MOVIES, ffmpeg, write_animation, write_movie
from stimsynth.plots.gates import a_frame_rate, drawn_with, plot_figure
from stimuli_store.errors import InputError, MissingExtra, WrongType, unknown_name
from stimuli_store.tools.gates import a_count, a_function, a_path, a_yes_or_no
from stimuli_store.tools.progress import progress_bar
from stimuli_store.tools.whole import whole

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

Draw = Callable[[int], "Sequence[Artist]"]


class Film:
    """A figure that changes from frame to frame, to save or to show in a notebook.

    A notebook shows the film if a cell ends with it. Only the artists that change are drawn in every frame;
    the rest is drawn once, and again when limits or titles change.

    Parameters
    ----------
    figure
        The figure, with everything drawn on it.
    draw
        Function of the number of a frame that changes artists and returns all of those that ever change.
    frames
        Number of frames.
    framerate
        Frames per second.
    repeat
        Whether a film in a notebook begins again at its end.

    Attributes
    ----------
    figure, framerate
        As given.
    Raises
    ------
    InputError
        If `framerate` is not a positive number, or there are no frames.

    Examples
    --------
    >>> from stimsynth import Gaussian, Metamer, images, remove_grad
    >>> image = images.load("camera", size=16)
    >>> metamer = Metamer(image, remove_grad(Gaussian(3)), seed=0)
    >>> metamer.synthesize(max_iter=2, store_progress=True)
    >>> from stimsynth.plots import animate
    >>> film = animate(metamer, framerate=2)
    >>> type(film).__name__, film.frame(0).shape[-1]
    ('Film', 4)
    """

    def __init__(
        self,
        figure: "Figure",
        draw: "Draw",
        frames: int,
        *,
        framerate: float = 10.0,
        repeat: bool = False,
    ) -> None:
        self.figure = plot_figure(figure, "figure")
        self.framerate = a_frame_rate(framerate, "framerate")
        self._pixels = _Pixels(figure, a_function(draw, "draw"))
        self._frames = a_count(frames, "frames")
        self._repeat = a_yes_or_no(repeat, "repeat")

    def __len__(self) -> int:
        """Return the number of frames."""
        return self._frames

    def __repr__(self) -> str:
        """Return the number of frames, their size and rate."""
        height, width = self._pixels.size
        return f"Film({self._frames} frames of {width} × {height}, {self.framerate:g} per second)"

    def frame(self, number: int) -> np.ndarray:
        """Return the pixels of frame `number`, uint8, shape (height, width, 4), with opacity last."""
        number = whole(number, "number")
        if not -self._frames <= number < self._frames:
            raise InputError(f"frames go from 0 to {self._frames - 1}; there is no frame {number}")
        return self._pixels.frame(number % self._frames)

    def save(
        self, filename: str | os.PathLike[str], writer: str | None = None, **kwargs: Any
    ) -> None:
        """Write the film to a file, with a progress bar.

        Parameters
        ----------
        filename
            Name of the file; ``.mp4`` and other movies need ffmpeg, ``.gif``, ``.apng`` and ``.webp`` need
            Pillow, and ``.html`` is a page with the film in it. A movie is compressed and not exact pixel
            by pixel; ``.apng`` is.
        writer
            Name of a writer of matplotlib to use instead; it is also taken from
            ``matplotlib.rcParams["animation.writer"]``, if that was changed.
        kwargs
            Further arguments of `matplotlib.animation.Animation.save`, such as `fps` and `bitrate`.

        Raises
        ------
        InputError
            If the ending of the name is not known, or the folder does not exist.
        MissingExtra
            If ffmpeg or Pillow is not installed.
        """
        from matplotlib import rcParams

        path = a_path(filename, "filename")
        if not path.parent.is_dir():
            raise InputError(f"the folder {path.parent} does not exist; make it first")
        chosen = rcParams["animation.writer"] if writer is None else writer
        known = [*MOVIES, *ANIMATIONS, ".html"]
        if writer is None and path.suffix not in known:
            raise unknown_name("ending of a film", path.suffix, known)
        if path.suffix == ".html":
            page = f"<!doctype html><meta charset='utf-8'>{self._repr_html_()}"
            path.write_text(page, encoding="utf-8")
        elif writer is not None or chosen != "ffmpeg" or kwargs:
            self._save_by_matplotlib(path, writer, kwargs)
        elif path.suffix in MOVIES:
            write_movie(path, self._every(), self.framerate)
        else:
            samples = [self.frame(number) for number in (0, self._frames // 2, -1)]
            write_animation(path, self._every(), self.framerate, samples)

    def _save_by_matplotlib(self, path: Path, writer: str | None, kwargs: dict[str, Any]) -> None:
        from matplotlib import rc_context

        fitting = "pillow" if path.suffix in ANIMATIONS and writer is None else writer
        needed: Any = {} if fitting == "pillow" else {"animation.ffmpeg_path": ffmpeg()}
        with rc_context(needed), drawn_with({"writer": fitting, **kwargs}):
            self.animation.save(os.fspath(path), writer=fitting, **kwargs)

    def _every(self) -> Iterator[np.ndarray]:
        return (self.frame(number) for number in _watched(self._frames))

    @property
    def animation(self) -> "FuncAnimation":
        """The same film for matplotlib, over a figure with the pixels of each frame."""
        from matplotlib.animation import FuncAnimation

        height, width = (side + side % 2 for side in self._pixels.size)  # movies need even sides
        screen = empty_figure(width / DPI, height / DPI)
        picture = screen.figimage(self._pixels.frame(0))

        def update(number: int) -> "list[Artist]":
            picture.set_data(self._pixels.frame(number))
            return [picture]

        return FuncAnimation(
            screen,
            update,
            frames=partial(_watched, self._frames),
            save_count=self._frames,
            interval=1000 / self.framerate,
            repeat=self._repeat,
            cache_frame_data=False,
        )

    def to_html5_video(self) -> str:
        """Return HTML with the film as a movie in it (``<video>``); needs ffmpeg."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "film.mp4"
            write_movie(path, self._every(), self.framerate)
            data = base64.b64encode(path.read_bytes()).decode()
        height, width = self._pixels.size
        again = " loop" if self._repeat else ""
        return (
            f'<video width="{width}" height="{height}" controls autoplay muted{again}>'
            f'<source type="video/mp4" src="data:video/mp4;base64,{data}"></video>'
        )

    def to_jshtml(self) -> str:
        """Return HTML with all frames as pictures, and buttons to play and to step through them."""
        from matplotlib import rc_context

        with rc_context({"animation.embed_limit": 2**10}):  # MB; beyond it frames would be left out
            return str(self.animation.to_jshtml())

    def _repr_html_(self) -> str:
        return convert_anim_to_html(self).data


@dataclass(frozen=True, kw_only=True)
class FilmPage:
    """A piece of HTML with a film, which a notebook shows.

    Attributes
    ----------
    data
        The HTML.
    """

    data: str

    def _repr_html_(self) -> str:
        return self.data


def convert_anim_to_html(anim: "Film | FuncAnimation") -> FilmPage:
    """Return a film as HTML, which a notebook shows: a movie, or single frames where ffmpeg is missing.

    Parameters
    ----------
    anim
        A `Film`, or an animation of matplotlib.

    Raises
    ------
    WrongType
        (also a TypeError) for anything else.

    Examples
    --------
    >>> from stimsynth import Gaussian, Metamer, images, remove_grad
    >>> image = images.load("camera", size=16)
    >>> metamer = Metamer(image, remove_grad(Gaussian(3)), seed=0)
    >>> metamer.synthesize(max_iter=2, store_progress=True)
    >>> from stimsynth.plots import animate
    >>> page = convert_anim_to_html(animate(metamer))
    >>> page.data.startswith("<")
    True
    """
    if not hasattr(anim, "to_html5_video"):
        raise WrongType(
            f"a film is made by animate or animshow; not a {type(anim).__name__}, as this one"
        )
    try:
        path = ffmpeg()
    except MissingExtra:
        return FilmPage(data=anim.to_jshtml())
    from matplotlib import rc_context

    with rc_context({"animation.ffmpeg_path": path}):
        return FilmPage(data=anim.to_html5_video())


class _Pixels:
    """Pixels of a figure whose artists change; what does not change is drawn once."""

    def __init__(self, figure: "Figure", draw: Draw) -> None:
        from matplotlib.backends.backend_agg import RendererAgg

        self._figure, self._draw = figure, draw
        width, height = (round(side) for side in figure.bbox.size)
        self.size = (height, width)
        self._renderer = RendererAgg(width, height, figure.dpi)
        self._state: object = None
        self._behind: Any = None

    def frame(self, number: int) -> np.ndarray:
        """Return a copy of the pixels after changes of frame `number`, uint8 (height, width, 4)."""
        artists = sorted(self._draw(number), key=lambda artist: artist.get_zorder())
        state = [(axes.get_xlim(), axes.get_ylim(), axes.get_title()) for axes in self._figure.axes]
        if state != self._state:
            self._render_behind(artists)
            self._state = state
        self._renderer.restore_region(self._behind)
        for artist in artists:
            artist.draw(self._renderer)
        return np.array(self._renderer.buffer_rgba())

    def _render_behind(self, artists: "Sequence[Artist]") -> None:
        self._figure.draw_without_rendering()  # settles the layout with everything visible
        for artist in artists:
            artist.set_visible(False)
        self._renderer.clear()
        self._figure.draw(self._renderer)
        for artist in artists:
            artist.set_visible(True)
        self._behind = self._renderer.copy_from_bbox(self._figure.bbox)


def _watched(frames: int) -> Generator[int, None, None]:
    """Yield the numbers of frames under a progress bar."""
    with progress_bar(frames, "frame") as bar:
        for number in range(frames):
            yield number
            bar.update()
