"""The most memory that a computation holds at once, in tensors on the CPU."""

from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile


def peak_bytes(run: Callable[[], object]) -> int:
    """Return the largest sum of what `run` has allocated and not yet freed, after one warm-up."""
    run()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        run()
    events = recorded.profiler.kineto_results.events()  # type: ignore[union-attr]
    changes = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
    held = largest = 0
    for _, change in changes:
        held += change
        largest = max(largest, held)
    return largest
