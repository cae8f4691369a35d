"""A run that can be continued, saved and moved: state, method and kept iterates of every synthesis class."""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stimsynth.engine.history import History
from stimsynth.engine.interrupt import interruptible
from stimsynth.engine.loop import Method, iterate
from stimsynth.engine.problem import Problem
from stimsynth.engine.run import Run, Status
from stimsynth.engine.stop import StopRule
from stimsynth.methods.base.optimizers import choose_method, describe_method, method_from
from stimsynth.methods.base.progress import Fields, synthesis_bar
from stimsynth.methods.base.saving import LoadWarning
from stimsynth.methods.base.snapshots import SnapshotFile, left_run
from stimsynth.methods.base.state_tree import map_tensors
from stimsynth.validate.images import kept_image
from stimsynth.validate.probing import refuse_inference_mode
from stimuli_store.disk.stack import About
from stimuli_store.errors import InputError, StimsynthError
from stimuli_store.tools.whole import whole


def check_steps(max_iter: int, stop_iters_to_check: int) -> tuple[int, int]:
    """Return both numbers of steps as plain ints.

    Raises
    ------
    InputError
        Unless ``max_iter`` is a whole number of 0 or more and ``stop_iters_to_check`` of 1 or more.
    """
    return whole(max_iter, "max_iter", 0), whole(stop_iters_to_check, "stop_iters_to_check", 1)


#: In the record of a run: its iterates are in the very file that the record is read from.
HERE = "here"
LOSS_CONVERGED = "Loss has converged, stopping synthesis"


class ResumableRun:
    """A run that can be continued, saved, and moved.

    Parameters
    ----------
    start
        Points to start from, shape (N, …).
    default
        The method, unless the user hands in another.

    Attributes
    ----------
    start
        A leaf with these points, for an optimizer to take; a torch optimizer moves it.
    origin
        The points at the start, which stay.
    method, run
        How it moves and where it stands; None before it began.
    wrap
        What makes of the chosen method the one that runs, for methods with problems in stages.
    about
        Returns what a file of iterates says of the run: document and arrays of an archive.
    """

    def __init__(self, start: Tensor, default: Method) -> None:
        # Two copies: a torch optimizer moves the leaf itself.
        self.origin = kept_image(start, "a start", any_dims=True)
        self.start = self.origin.clone().requires_grad_(True)
        self.default = default
        self.wrap: Callable[[Method], Method] = _as_it_is
        self.about: About | None = None
        self.method: Method | None = None
        self.run: Run | None = None
        self._store_progress = self._preset = 0  # the second was set before any call
        self._file: SnapshotFile | None = None
        self._waiting: Mapping[str, Any] | None = None  # what a method that is to come begins from

    # -- going on ----------------------------------------------------------------------------------

    def settle(
        self,
        optimizer: Any = None,
        scheduler: Any = None,
        optimizer_kwargs: Mapping[str, Any] | None = None,
        store_progress: bool | int = False,
        progress_file: str | os.PathLike[str] | None = None,
    ) -> None:
        """Choose method and storage on the first call; on later ones see that nothing is changed.

        Raises
        ------
        InputError
            If an argument makes no sense, or is not what it was at the first call.
        """
        if self.run is not None and self.run.state is None:
            self._rejoin(optimizer, scheduler, optimizer_kwargs)
            optimizer = scheduler = optimizer_kwargs = None
        if self.run is None:  # a call that failed before it took a step does not count
            every = _every(store_progress) or self._preset
            if progress_file is not None and not every:
                raise InputError(
                    "progress_file is where iterates go that store_progress keeps; say how many with "
                    "store_progress=1, or leave progress_file out"
                )
            method = choose_method(optimizer, scheduler, optimizer_kwargs, self.start, self.default)
            file = None if progress_file is None else SnapshotFile(progress_file, None, self.about)
            self.method, self._store_progress, self._file = method, every, file
            return
        if any(given is not None for given in (optimizer, scheduler, optimizer_kwargs)):
            raise InputError("synthesis goes on with its optimizer and scheduler; leave them None")
        if store_progress is not False:
            self.store_progress = store_progress
        if progress_file is not None:
            self._settle_file(progress_file)

    def _rejoin(self, optimizer: Any, scheduler: Any, optimizer_kwargs: Any) -> None:
        """Take the method of a loaded run that no file could make again."""
        assert self._waiting is not None
        wanted = self._waiting["method"]
        if wanted is not None and optimizer is None:
            raise InputError(
                "a file cannot make the optimizer and scheduler of this run again; hand in the optimizer "
                "and the scheduler that it began with, and they go on where they were"
            )
        method = choose_method(optimizer, scheduler, optimizer_kwargs, self.start, self.default)
        if wanted is None:  # only iterates were left: the method begins anew at the last of them
            self.method = method
            return
        if describe_method(method) != wanted:
            raise InputError(
                f"this run began with the method {wanted}; it does not go on with {describe_method(method)}"
            )
        state = self.wrap(method).revive(self._waiting["state"])
        self.run = self._run_of(self._waiting, state, self._file)
        self.method, self._waiting = method, None

    @property
    def steps_before(self) -> int:
        """Steps of a run that a killed process left; its method begins anew after them."""
        return 0 if self.run is None or self.run.state is not None else self.run.n_steps

    def advance(
        self,
        problem: Problem,
        max_iter: int,
        stop: StopRule,
        extra: Fields | None = None,
        converged: str = LOSS_CONVERGED,
    ) -> None:
        """Take up to `max_iter` steps on `problem`.

        Parameters
        ----------
        problem, stop
            As for `iterate`.
        max_iter
            Steps to take now, at most.
        extra
            Function of the method's state to further fields of the progress bar.
        converged
            What to warn of when no item has anything left to do.

        Raises
        ------
        InputError
            If the objective or its slope became NaN or infinite for an item of the batch, once the others
            are done; what was done until then is kept, as it is when the model raises an error of its own.
        KeyboardInterrupt
            After Ctrl-C, which ends the run between two steps; what was done is kept, and the next call
            goes on.
        """
        assert self.method is not None
        refuse_inference_mode()
        kept: Any = self._file
        if kept is None:
            kept = dict(self.run.snapshots) if self.run else {}
        with (
            interruptible(),
            self._open_file(),
            synthesis_bar(max_iter, extra) as draw,
        ):
            method, resume = self.wrap(self.method), self.run
            if resume is not None and resume.state is None:
                resume = replace(resume, state=method.init(problem, self.start))

            def on_step(history: History, state: Any) -> None:
                if draw:
                    draw(history, state)
                if self._file is not None:
                    self._file.note(history)

            self.run = iterate(
                problem,
                method,
                self.start,
                max_steps=max_iter,
                stop=stop,
                resume=resume,
                snapshot_every=self._store_progress,
                snapshots=kept,
                on_step=on_step,
                on_error=self._broken_off,
            )
            self._waiting = None
        if Status.NOT_FINITE in self.run.status:
            raise InputError(_why_not_finite(self.run))
        if all(status.finished for status in self.run.status):
            warnings.warn(converged, stacklevel=3)

    def _broken_off(self, run: Run) -> None:
        """Keep a run that an error ended; one without a step did not begin."""
        if self.run is not None or run.n_steps:
            self.run, self._waiting = run, None

    def _settle_file(self, progress_file: str | os.PathLike[str]) -> None:
        """Go on with the file of the earlier calls, be it in another place."""
        if self._file is None:
            raise InputError(
                "synthesis keeps its iterates in memory, as it began; leave progress_file None"
            )
        moved = SnapshotFile(progress_file, list(self._file))
        if moved.path == self._file.path:
            return
        moved.check()
        assert self.run is not None
        self._file, self.run = moved, replace(self.run, snapshots=moved)

    @contextmanager
    def _open_file(self) -> Iterator[None]:
        if self._file is None:
            yield
            return
        self._file.check()
        try:
            yield
        finally:
            self._file.close()
            if self.run is None:
                self._file.remove()

    # -- looking at it -----------------------------------------------------------------------------

    @property
    def points(self) -> Tensor:
        """Where the run stands; before it began, the start."""
        return self.start if self.run is None or self.run.state is None else self.run.points

    @property
    def status(self) -> tuple[Status, ...]:
        """How each item ended."""
        return self.run.status if self.run else (Status.RUNNING,) * len(self.start)

    @property
    def optimizer(self) -> Any:
        """The torch optimizer once synthesis began with one, else the method of the engine."""
        if self.run is None or self.run.state is None:
            return None
        return self.run.state.optimizer or self.method

    @property
    def store_progress(self) -> int:
        """Every how many steps an iterate is kept; 0 for never."""
        return self._store_progress

    @store_progress.setter
    def store_progress(self, every: bool | int) -> None:
        number = _every(every)
        if self.run is not None and number != self._store_progress:
            raise InputError(
                f"store_progress was {self._store_progress} when synthesis began and must stay so; "
                f"not {every}"
            )
        self._store_progress = self._preset = number

    def history(self, name: str) -> Tensor:
        """Return a column of the history, shape (steps + 1, N); empty before the run began."""
        if self.run is None:
            return torch.empty(0, len(self.start))
        return self.run.history[name]

    def saved(self) -> Tensor:
        """Return the iterates that were kept, shape (kept, N, …), on the CPU."""
        kept = self.run.snapshots if self.run else {}
        shape = self.start.shape
        return torch.stack(list(kept.values())) if kept else torch.empty(0, *shape)

    def spare(self, path: Any) -> None:
        """Refuse to write something else over the file with the iterates.

        Raises
        ------
        InputError
            If this is that file.
        """
        named = isinstance(path, str | os.PathLike)
        if self._file is not None and named and str(Path(path).resolve()) == self._file.path:
            raise InputError(f"{path} is the progress file and would be lost; save to another file")

    # -- saving and moving -------------------------------------------------------------------------

    def record(self) -> dict[str, Any]:
        """Return all of it as tensors, numbers and text."""
        record: dict[str, Any] = {
            "origin": self.origin,
            "store_progress": self._store_progress,
        }
        if self.run is None:
            return {**record, "run": None}
        in_file = None if self._file is None else {"path": self._file.path, "of": list(self._file)}
        if self._waiting is not None:
            return {**self._waiting, "progress_file": in_file}
        assert self.method is not None
        return {
            **record,
            "method": describe_method(self.method),
            "run": {
                "points": self.run.points,
                "status": [status.name for status in self.run.status],
                "history": dict(self.run.history),
                "snapshots": {} if self._file is not None else dict(self.run.snapshots),
            },
            "state": self.wrap(self.method).record(self.run.state),
            "progress_file": in_file,
        }

    def restore(self, record: Mapping[str, Any], path: Path) -> None:
        """Become what `record` was made of, whole or not at all.

        A run whose optimizer a file cannot make again (a class of the user's own, or any with a scheduler)
        waits until `settle` gets it; so does one of which a killed process left the iterates only.

        Parameters
        ----------
        record
            What the method of that name returned.
        path
            The file that it comes from. A file with the iterates is looked for beside it too.
        """
        if record.get("progress_file") == HERE:
            record = _with_left(record, path)
        run, method, waiting, start = None, None, None, record["origin"]
        file = _file_of(record, path.parent)
        if record["run"] is not None:
            if record["method"] is not None:
                method = method_from(record["method"], record["state"], self.default)
            state = None if method is None else self.wrap(method).revive(record["state"])
            run = self._run_of(record, state, file)
            if method is None:
                waiting, start = record, run.points
        self.origin = record["origin"]
        self.start = start.clone().requires_grad_(True)
        self._store_progress = self._preset = record["store_progress"]
        self.run, self.method, self._waiting, self._file = run, method, waiting, file

    def to(self, dtype: torch.dtype, device: torch.device) -> None:
        """Move everything, the optimizer's memory too; what was kept of the way stays on the CPU."""

        def cast(tensor: Tensor) -> Tensor:
            return tensor.to(device, dtype if tensor.is_floating_point() else tensor.dtype)

        # In place, as modules do it: an optimizer may have been built on this very tensor.
        self.start.data, self.origin = cast(self.start.data), cast(self.origin)
        if self.run is None:
            return
        record = self.record()
        record["origin"] = self.origin
        run = record["run"] = {**record["run"], "points": cast(record["run"]["points"])}
        if not dtype.is_complex:
            run["history"] = map_tensors(run["history"], lambda x: x.to(dtype))
        record["state"] = record["state"] and {
            # A torch optimizer moves its memory itself, to where it finds its points.
            name: value if name.endswith(("optimizer", "scheduler")) else map_tensors(value, cast)
            for name, value in record["state"].items()
        }
        state = None
        if self._waiting is not None:
            self._waiting = record
        else:
            assert self.method is not None
            state = self.wrap(self.method).revive(record["state"])
        self.run = self._run_of(record, state, self.run.snapshots)

    def _run_of(
        self, record: Mapping[str, Any], state: Any, snapshots: Mapping[int, Tensor] | None = None
    ) -> Run:
        run = record["run"]
        return Run(
            points=run["points"] if state is None else state.points.detach().clone(),
            status=tuple(Status[name] for name in run["status"]),
            history=run["history"],
            snapshots=run["snapshots"] if snapshots is None else snapshots,
            state=state,
        )


def _why_not_finite(run: Run) -> str:
    """Return the sentence for a run with items that ended as NOT_FINITE."""
    lost = [item for item, status in enumerate(run.status) if status is Status.NOT_FINITE]
    where = f" for items {lost} of the batch" if len(run.status) > 1 else ""
    if bool(torch.isfinite(run.history["objective"][-1, lost]).all()):
        return (
            f"the slope of the objective is NaN or infinite{where} (square roots and logarithms of 0 are the "
            "usual cause), so nothing says where to go; the image is kept. Start elsewhere, or add a small "
            "constant under the root"
        )
    return (
        f"the loss became NaN or infinite{where}; the last finite image is kept. Check the model's gradient "
        "at this image, or take a smaller learning rate"
    )


def _every(store_progress: Any) -> int:
    """Return every how many steps an iterate is to be kept, 0 for never."""
    if isinstance(store_progress, bool):
        return int(store_progress)
    return whole(store_progress, "store_progress, if not True or False,", 0)


def _with_left(record: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """Return the record of a run from what it was at its start, and from the iterates in its own file."""
    left = left_run(path, record["origin"])
    if left is None:
        return {**record, "progress_file": None}
    file, run = left
    kept = {
        "points": run.points,
        "status": [status.name for status in run.status],
        "history": run.history,
        "snapshots": {},
    }
    place = {"path": file.path, "of": list(file)}
    return {**record, "method": None, "state": None, "run": kept, "progress_file": place}


def _file_of(record: Mapping[str, Any], folder: Path) -> SnapshotFile | None:
    """Return the file with the iterates of a record: where it was, or else in a folder."""
    told = record.get("progress_file")
    if told is None:
        return None
    path = Path(told["path"])
    beside = folder / path.name
    moved = not path.exists() and beside.exists()
    file = SnapshotFile(beside if moved else path, told["of"])
    try:
        file.check()
    except StimsynthError as missing:
        warnings.warn(f"all is loaded but the iterates: {missing}", LoadWarning, stacklevel=4)
    return file


def _as_it_is(method: Method) -> Method:
    return method
