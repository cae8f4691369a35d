"""Orders of trials: repeats of an image kept apart, and short runs of one answer.

Both are built and not only searched for, so making an order always ends. An order at random is tried
first; where that fails, one is constructed.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from stimuli_store.errors import InputError

_TRIES = 20
_SWEEPS = 200


def largest_distance(counts: Sequence[int], *, blocks: int = 1) -> int:
    """Return the largest distance at which images can be kept that are shown so often in a block.

    With max the largest count, ties the number of images that have it and n the number of trials, a block
    can be ordered if (max - 1) distance + ties <= n; several blocks after one another if also
    max distance <= n.

    Examples
    --------
    >>> largest_distance([3, 3, 2]), largest_distance([3, 3, 2], blocks=2), largest_distance([1, 1])
    (3, 2, 2)
    """
    n, most = sum(counts), max(counts)
    alone = n if most == 1 else (n - list(counts).count(most)) // (most - 1)
    return max(1, min(alone, n // most) if blocks > 1 else alone)


def check_distance(images: Sequence[Hashable], distance: int, *, blocks: int = 1) -> None:
    """Check that the images of a block can be kept apart.

    Raises
    ------
    InputError
        With the image that is shown most often and the largest distance that is possible.
    """
    counts = Counter(images)
    possible = largest_distance(list(counts.values()), blocks=blocks)
    image, most = counts.most_common(1)[0]
    if distance > possible and most * blocks > 1:
        raise InputError(
            f"min_distance is {distance}, but the target {image!r} is shown {most} times among the "
            f"{len(images)} trials of a block; {possible} is the largest distance that can be kept"
        )


def spaced(
    blocks: Sequence[Sequence[Hashable]], distance: int, rng: np.random.Generator
) -> list[list[Hashable]]:
    """Return the images of every block in an order in which equal ones are at least `distance` apart.

    Parameters
    ----------
    blocks
        Image of every trial of every block.
    distance
        Smallest distance, also from one block to the next; 1 for none. It must be possible
        (`check_distance`).
    rng
        Draws the order.

    Raises
    ------
    InputError
        If blocks of different images were not found to fit to each other.
    """
    if distance <= 1:
        return [[images[int(place)] for place in rng.permutation(len(images))] for images in blocks]
    orders: list[list[Hashable]] = []
    for images in blocks:
        tail = orders[-1][-(distance - 1) :] if orders else []
        drawn = (_drawn(Counter(images), distance, rng, tail) for _ in range(_TRIES))
        found = next((order for order in drawn if order is not None), None)
        if found is None:
            return _all_built(blocks, distance, rng)
        orders.append(found)
    return orders


def _all_built(
    blocks: Sequence[Sequence[Hashable]], distance: int, rng: np.random.Generator
) -> list[list[Hashable]]:
    """Return one constructed order for all blocks, if they hold the same images."""
    counts = [Counter(images) for images in blocks]
    if all(count == counts[0] for count in counts):
        built = _built(counts[0], distance, rng, cyclic=len(blocks) > 1)
        turn = int(rng.integers(len(built))) if len(blocks) > 1 else 0
        return [built[turn:] + built[:turn] for _ in blocks]
    raise InputError(
        f"no order was found that keeps trials with the same target {distance} apart between blocks of "
        "different trials; make min_distance smaller, or take fewer blocks"
    )


def _drawn(
    left: Counter[Hashable], distance: int, rng: np.random.Generator, tail: Sequence[Hashable]
) -> list[Hashable] | None:
    """Draw an order image by image; those that must come now, lest they do not fit any more, first."""
    order = list(tail)
    n = left.total()
    for placed in range(n):
        recent = set(order[max(0, len(order) - distance + 1) :])
        free = [image for image, count in left.items() if count and image not in recent]
        if not free:
            return None
        m = n - placed
        most = max(left.values())
        ties = sum(count == most for count in left.values())
        if (most - 1) * distance + ties >= m:
            urgent = [image for image in free if left[image] == most]
            free = urgent or free
        weights = np.array([left[image] for image in free], float)
        image = free[int(rng.choice(len(free), p=weights / weights.sum()))]
        order.append(image)
        left[image] -= 1
    return order[len(tail) :]


def _built(
    counts: Counter[Hashable], distance: int, rng: np.random.Generator, *, cyclic: bool
) -> list[Hashable]:
    """Return an order that keeps the distance, around the circle if `cyclic`.

    Images are dealt one after the other to groups, those shown most often first. Each group but the last
    gets at least `distance` of them, and an image is in a group at most once.
    """
    n, most = counts.total(), max(counts.values())
    names = list(counts)
    shuffled = [names[int(place)] for place in rng.permutation(len(names))]
    ordered = sorted(shuffled, key=lambda image: -counts[image])
    if cyclic:
        groups: list[list[Hashable]] = [[] for _ in range(max(most, n // distance))]
        dealt = [image for image in ordered for _ in range(counts[image])]
        for place, image in enumerate(dealt):
            groups[place % len(groups)].append(image)
        return [image for group in groups for image in group]
    groups = [[] for _ in range(most)]
    for image in ordered:
        if counts[image] == most:
            for group in groups:
                group.append(image)
    rest = [image for image in ordered if counts[image] < most for _ in range(counts[image])]
    for place, image in enumerate(rest):
        groups[place % (most - 1)].append(image)
    return [image for group in groups for image in group]


def with_short_runs(
    order: Sequence[Hashable],
    answers: Mapping[Hashable, Sequence[str]],
    longest: int,
    rng: np.random.Generator,
    *,
    before: Sequence[str] = (),
) -> list[int]:
    """Return for every place of an order which of its image's trials it gets, so that runs stay short.

    Parameters
    ----------
    order
        Image at every place.
    answers
        The right answers of each image's trials.
    longest
        Longest run of one answer; 0 for no limit.
    rng
        Draws the trials.
    before
        Answers of the trials before the block.

    Raises
    ------
    InputError
        If answers are so unequal that no order was found.
    """
    places: dict[Hashable, list[int]] = defaultdict(list)
    for place, image in enumerate(order):
        places[image].append(place)
    chosen = [0] * len(order)
    for where in places.values():
        for place, trial in zip(where, rng.permutation(len(where)), strict=True):
            chosen[place] = int(trial)
    if not longest:
        return chosen
    tail = list(before[-longest:])
    for _ in range(_SWEEPS):
        said = [answers[image][chosen[place]] for place, image in enumerate(order)]
        bad = _too_long([*tail, *said], longest, len(tail))
        if not bad:
            return chosen
        for place in bad:
            image = order[place]
            mine = answers[image][chosen[place]]
            where = [p for p in places[image] if answers[image][chosen[p]] != mine]
            if not where:
                continue
            other = where[int(rng.integers(len(where)))]
            chosen[place], chosen[other] = chosen[other], chosen[place]
    built = _coloured(order, answers, places, tail[-1:])
    said = [answers[image][built[place]] for place, image in enumerate(order)] if built else []
    if built is None or _too_long([*tail, *said], longest, len(tail)):
        raise InputError(
            f"max_run is {longest}, but no order was found in which one answer is right at most {longest} "
            "times in a row; make it larger"
        )
    return built


def _too_long(said: Sequence[str], longest: int, skip: int) -> list[int]:
    """Return the places, counted after the first `skip`, at which a run becomes too long."""
    bad, run = [], 0
    for place, answer in enumerate(said):
        run = run + 1 if place and said[place - 1] == answer else 1
        if run > longest and place >= skip:
            bad.append(place - skip)
            run = 0
    return bad


def _coloured(
    order: Sequence[Hashable],
    answers: Mapping[Hashable, Sequence[str]],
    places: Mapping[Hashable, Sequence[int]],
    last: Sequence[str],
) -> list[int] | None:
    """Return trials such that every m places in a row from a multiple of m hold each of m answers once.

    The places are the edges of a graph between groups of m places and groups of m trials of an image, in
    which every node has m edges; such a graph's edges have a colouring with m colours (König 1916), and a
    colour is an answer. No run is then longer than 2, and the first answer is not the `last` one before.
    None if the answers of an image are unequal.
    """
    names = sorted({answer for said in answers.values() for answer in said})
    m = len(names)
    for said in answers.values():
        if len({Counter(said)[name] for name in names}) > 1:
            return None
    node = {}
    for image, where in places.items():
        for number, place in enumerate(where):
            node[place] = (image, number // m)
    colour: dict[int, int] = {}
    left = set(range(len(order)))
    for number in range(m):
        matched = _matching(sorted(left), node, m)
        for place in matched:
            colour[place] = number
        left -= set(matched)
    if last and names[colour[0]] == last[0]:
        names = names[1:] + names[:1]
    stock = {
        image: {name: [i for i, answer in enumerate(said) if answer == name] for name in names}
        for image, said in answers.items()
    }
    return [stock[image][names[colour[place]]].pop() for place, image in enumerate(order)]


def _matching(
    edges: Sequence[int],
    node: Mapping[int, Hashable],
    m: int,
) -> list[int]:
    """Return edges that touch every node once: a perfect matching of a regular bipartite graph."""
    of_group: dict[int, list[int]] = defaultdict(list)
    for place in edges:
        of_group[place // m].append(place)
    held: dict[Hashable, int] = {}  # node of trials -> the place that holds it
    for group in of_group:
        path = _augmenting(group, of_group, node, held, m)
        for place in path:
            held[node[place]] = place
    return list(held.values())


def _augmenting(
    start: int,
    of_group: Mapping[int, Sequence[int]],
    node: Mapping[int, Hashable],
    held: Mapping[Hashable, int],
    m: int,
) -> list[int]:
    """Return the places that hold their nodes after one more group is matched, by a search in breadth."""
    came: dict[Hashable, int] = {}  # node -> the place by which it was reached
    queue = [start]
    while queue:
        group = queue.pop(0)
        for place in of_group[group]:
            goal = node[place]
            if goal in came:
                continue
            came[goal] = place
            if goal not in held:
                path = [place]
                while path[-1] // m != start:
                    back = next(n for n, p in held.items() if p // m == path[-1] // m)
                    path.append(came[back])
                return path
            queue.append(held[goal] // m)
    raise AssertionError("a regular bipartite graph has a perfect matching")
