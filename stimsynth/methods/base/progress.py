"""Progress bars of synthesis and their fields."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import fmean
from typing import Any

from stimsynth.engine.history import History, Rows
from stimsynth.engine.loop import State
from stimuli_store.tools.progress import progress_bar, watched

Fields = Callable[[Any], Mapping[str, Any]]


@contextmanager
def synthesis_bar(
    total: int, extra: Fields | None = None
) -> Iterator[Callable[[History, Any], None] | None]:
    """Yield an `on_step` for the loop that updates a progress bar; None if no terminal shows it.

    Parameters
    ----------
    total
        Number of steps.
    extra
        Function of the method's state that returns fields besides loss, learning_rate, gradient_norm and
        pixel_change_norm.
    """
    if not watched():
        yield None
        return
    with progress_bar(total, "step") as bar:

        def on_step(history: History, state: Any) -> None:
            bar.update()
            # A bar that is not drawn counts no steps; reading numbers from a GPU makes it wait.
            if not bar.disable and (bar.n == 1 or bar.n % 10 == 0):
                fields = postfix(history, state, extra)
                # 80 columns have room for the title and the first field only.
                bar.set_description(fields.get("current_scale", f"{bar.unit}s"), refresh=False)
                bar.set_fields(fields)

        yield on_step


def postfix(history: Rows, state: State, extra: Fields | None) -> dict[str, Any]:
    """Return the fields of the progress bar after the last step: means over the batch, and `extra`."""
    shown = {
        "loss": "objective",
        "gradient_norm": "gradient_norm",
        "pixel_change_norm": "pixel_change_norm",
    }
    fields: dict[str, Any] = {
        label: f"{fmean(history.value(name, -1, item) for item in range(history.items)):.4e}"
        for label, name in shown.items()
    }
    if state.optimizer is not None:
        fields["learning_rate"] = state.optimizer.param_groups[0]["lr"]
    return {**fields, **(extra(state) if extra else {})}


@contextmanager
def product_bar(total: int) -> Iterator[Callable[[int, float], None] | None]:
    """Yield an `on_step` for an eigenvector search that updates a bar; None if no terminal shows it."""
    if not watched():
        yield None
        return
    with progress_bar(total, "product") as bar:

        def on_step(spent: int, left: float) -> None:
            bar.update(spent - bar.n)
            bar.set_fields({"left": f"{left:.2e}"})

        yield on_step
