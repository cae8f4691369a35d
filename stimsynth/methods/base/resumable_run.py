"""Resumable runs: state, method and stored iterates of a synthesis, to continue, save and move."""

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
    """Return ``max_iter`` and ``stop_iters_to_check`` as plain ints.

    Raises
    ------
    InputError
        Unless ``max_iter`` is a whole number of 0 or more and ``stop_iters_to_check`` of 1 or more.
    """
    return whole(max_iter, "max_iter", 0), whole(stop_iters_to_check, "stop_iters_to_check", 1)


#: In the record of a run: its iterates are in the very file that the record is read from.
HERE = "here"
_MEASURED = ("objective", "gradient_norm")
LOSS_CONVERGED = "Loss has converged, stopping synthesis"


class ResumableRun:
    """A run of a method that can be continued, saved, and moved to another device.

    Parameters
    ----------
    start
        Points to start from, shape (N, …).
    default
        The method if the user gives no optimizer.

    Attributes
    ----------
    start
        Leaf tensor with these points, for the user to build an optimizer on; a torch optimizer changes it.
    origin
        The points at the start; they never change.
    method, run
        The chosen method, and its run so far; None before the first call.
    wrap
        Function of the chosen method that returns the method to run, for problems in stages.
    about
        Function that returns the archive document and arrays that describe the run in a file of iterates.
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

    # -- running -----------------------------------------------------------------------------------

    def settle(
        self,
        optimizer: Any = None,
        scheduler: Any = None,
        optimizer_kwargs: Mapping[str, Any] | None = None,
        store_progress: bool | int = False,
        progress_file: str | os.PathLike[str] | None = None,
    ) -> None:
        """Choose method and storage on the first call; check on later calls that both are unchanged.

        Raises
        ------
        InputError
            If an argument is invalid, or differs from the first call.
        """
        if self.run is not None and self.run.state is None:
            self._rejoin(optimizer, scheduler, optimizer_kwargs)
            optimizer = scheduler = optimizer_kwargs = None
        if self.run is None:  # a call that failed before its first step does not count
            every = _every(store_progress) or self._preset
            if progress_file is not None and not every:
                raise InputError(
                    "progress_file needs store_progress, the interval between stored iterates; give "
                    "store_progress=1, or leave progress_file out"
                )
            method = choose_method(optimizer, scheduler, optimizer_kwargs, self.start, self.default)
            file = None if progress_file is None else SnapshotFile(progress_file, None, self.about)
            self.method, self._store_progress, self._file = method, every, file
            return
        if any(given is not None for given in (optimizer, scheduler, optimizer_kwargs)):
            raise InputError(
                "a continued synthesis keeps its optimizer and scheduler; leave optimizer, scheduler and "
                "optimizer_kwargs None"
            )
        if store_progress is not False:
            self.store_progress = store_progress
        if progress_file is not None:
            self._settle_file(progress_file)

    def _rejoin(self, optimizer: Any, scheduler: Any, optimizer_kwargs: Any) -> None:
        """Set the method of a loaded run whose file could not restore it."""
        assert self._waiting is not None
        wanted = self._waiting["method"]
        if wanted is not None and optimizer is None:
            raise InputError(
                "the file could not restore the optimizer and scheduler of this run; give optimizer and "
                "scheduler as on the first call, and the run continues with their saved state"
            )
        method = choose_method(optimizer, scheduler, optimizer_kwargs, self.start, self.default)
        if wanted is None:  # only iterates were left: the method starts anew at the last one
            self.method = method
            return
        if describe_method(method) != wanted:
            raise InputError(
                f"this run began with the method {wanted} and must continue with it; not with "
                f"{describe_method(method)}"
            )
        state = self.wrap(method).revive(self._waiting["state"])
        self.run = self._run_of(self._waiting, state, self._file)
        self.method, self._waiting = method, None

    @property
    def steps_before(self) -> int:
        """Number of steps of a run that a killed process left; 0 for other runs."""
        return 0 if self.run is None or self.run.state is not None else self.run.n_steps

    def advance(
        self,
        problem: Problem,
        max_iter: int,
        stop: StopRule,
        extra: Fields | None = None,
        *,
        goal: StopRule | None = None,
        converged: str = LOSS_CONVERGED,
    ) -> None:
        """Take up to `max_iter` steps on `problem`, and store the new run.

        Parameters
        ----------
        problem, stop, goal
            As for `iterate`.
        max_iter
            Largest number of steps to take now.
        extra
            Function of the method's state that returns further fields of the progress bar.
        converged
            Text of the warning once every problem has finished.

        Raises
        ------
        InputError
            If the objective or its gradient became NaN or infinite for a problem of the batch. It is raised
            after the others have finished. The run so far is kept, also when the model raises an error.
        KeyboardInterrupt
            After Ctrl-C, which ends the run between two steps. The run so far is kept, and the next call
            continues it.
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
                goal=goal,
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
        """Keep the part of a run before an error; drop a first run without a step."""
        if self.run is not None or run.n_steps:
            self.run, self._waiting = run, None

    def _settle_file(self, progress_file: str | os.PathLike[str]) -> None:
        """Continue with the progress file of the earlier calls, perhaps moved to a new path."""
        if self._file is None:
            raise InputError(
                "this synthesis began with its iterates in memory and must continue so; leave progress_file "
                "None"
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

    # -- results -----------------------------------------------------------------------------------

    @property
    def points(self) -> Tensor:
        """A copy of the current points, shape (N, …); without a state of the method, the leaf `start`."""
        if self.run is None or self.run.state is None:
            return self.start
        return self.run.points.clone()

    @property
    def status(self) -> tuple[Status, ...]:
        """Status of each problem; RUNNING before the first call."""
        return self.run.status if self.run else (Status.RUNNING,) * len(self.start)

    @property
    def optimizer(self) -> Any:
        """The torch optimizer in use, or else the method of the engine; None before the first call."""
        if self.run is None or self.run.state is None:
            return None
        return self.run.state.optimizer or self.method

    @property
    def store_progress(self) -> int:
        """Interval in steps between stored iterates; 0 stores none."""
        return self._store_progress

    @store_progress.setter
    def store_progress(self, every: bool | int) -> None:
        number = _every(every)
        if self.run is not None and number != self._store_progress:
            raise InputError(
                f"store_progress was {self._store_progress} when synthesis began and must remain so; "
                f"not {every}"
            )
        self._store_progress = self._preset = number

    def history(self, name: str) -> Tensor:
        """Return a column of the history, shape (steps + 1, N); empty before the run began."""
        if self.run is None:
            return torch.empty(0, len(self.start))
        return self.run.history[name].clone()

    def saved(self) -> Tensor:
        """Return the stored iterates, shape (kept, N, …), on the CPU."""
        kept = self.run.snapshots if self.run else {}
        shape = self.start.shape
        return torch.stack(list(kept.values())) if kept else torch.empty(0, *shape)

    def spare(self, path: Any) -> None:
        """Raise an error if `path` is the progress file, which a save would overwrite.

        Raises
        ------
        InputError
            If `path` is the progress file.
        """
        named = isinstance(path, str | os.PathLike)
        if self._file is not None and named and str(Path(path).resolve()) == self._file.path:
            raise InputError(
                f"{path} is the progress file and would be overwritten; save to another file"
            )

    # -- saving and moving -------------------------------------------------------------------------

    def record(self) -> dict[str, Any]:
        """Return the whole run as nested tensors, numbers and text."""
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
        """Replace this run by the one in `record`, completely or not at all.

        If a file cannot restore the optimizer (a user's own class, or any optimizer with a scheduler), the
        run is kept aside until `settle` gets the optimizer; so is a run of which a killed process left only
        the iterates.

        Parameters
        ----------
        record
            A record that the method `record` returned.
        path
            The file that it comes from; the progress file is looked for in the same folder too.
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
        """Move points, history and optimizer state to another dtype and device; stored iterates stay."""

        def cast(tensor: Tensor) -> Tensor:
            return tensor.to(device, dtype if tensor.is_floating_point() else tensor.dtype)

        # In place, as modules do it: an optimizer may have been built on this tensor.
        self.start.data, self.origin = cast(self.start.data), cast(self.origin)
        if self.run is None:
            return
        record = self.record()
        record["origin"] = self.origin
        run = record["run"] = {**record["run"], "points": cast(record["run"]["points"])}
        if not dtype.is_complex:
            run["history"] = map_tensors(run["history"], lambda x: x.to(dtype))
        record["state"] = record["state"] and {
            # A torch optimizer moves its own state to the device of its points.
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
    """Return the error sentence for a run with problems of status NOT_FINITE."""
    lost = [item for item, status in enumerate(run.status) if status is Status.NOT_FINITE]
    where = f" for images {lost} of the batch" if len(run.status) > 1 else ""
    last = {name: torch.isfinite(run.history[name][-1, lost]).all() for name in _MEASURED}
    if bool(last["objective"]):
        beside = " beside the image, where the loss would be lower" if last["gradient_norm"] else ""
        return (
            f"the gradient of the objective is NaN or infinite{where}{beside}, and the image is kept; square "
            "roots and logarithms of 0 are the usual cause: use another start, or add a small constant under "
            "the root"
        )
    if run.n_steps == 0:
        return (
            f"the loss is NaN or infinite at the start{where}; use another start, or a loss and penalties "
            "that are finite there"
        )
    return (
        f"the loss became NaN or infinite{where}, and the last finite image is kept; check the model's "
        "gradient at this image, or use a smaller learning rate"
    )


def _every(store_progress: Any) -> int:
    """Return the interval in steps between stored iterates; 0 for none."""
    if isinstance(store_progress, bool):
        return int(store_progress)
    return whole(store_progress, "store_progress, if not True or False,", 0)


def _with_left(record: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """Return the record of a run from its start, and from the iterates in its own progress file."""
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
    """Return the progress file of a record, at its old path or else in `folder`; None without one."""
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
        warnings.warn(
            f"everything is loaded except the iterates: {missing}", LoadWarning, stacklevel=4
        )
    return file


def _as_it_is(method: Method) -> Method:
    return method
