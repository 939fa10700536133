"""Names of mixed clusters, which no one action and no one task speaks for: by what many of their users speak of, or lean to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clio.clustering.counting import SWAPPED, Counts
from clio.clustering.parents import MAX_NAME, MIXED, VARIOUS, join_themes, lower, lower_theme
from clio.clustering.phrases import is_thing
from clio.clustering.topics import Nearness, Spread, topics
from clio.clustering.wording import Wording, join

# a theme that this share of members are nearest to lends its tasks to a mixed cluster; others are named by the themes that they lean to:
# near to this share of members, by this many standard deviations of their three nearest tasks (near to most, by fewer), a second one if
# nearly as much
_THEME, _NEAR_THEME, _LEANS, _AS_MUCH = 0.28, 1 / 3, 2.6, 0.9
_NEAR_MOST, _LEANS_THEN = 0.6, 2.2
# things that this share of users speak of name a mixed cluster, if they are no more than so many
_SHARED, _MOST_SHARED = 0.4, 3


def by_words(counts: Counts, wording: Wording, min_users: int) -> str:
    """The things that two in five users speak of, whatever they want: "Various: notes and summary".

    Empty where one account could change which they are.

    Args:
        counts: of the cluster.
        wording: how things are written.
        min_users: distinct users who must speak of each.
    """
    floor = max(min_users, _SHARED * counts.users)
    near = {key for key, users in counts.things.items() if len(users) >= floor - SWAPPED and is_thing(key)}
    # "meeting notes" says "notes"
    kept = sorted(key for key in near if not any(set(key) < set(other) for other in near))
    if not 1 <= len(kept) <= _MOST_SHARED or any(
        len(counts.things[key]) < floor + SWAPPED or counts.form[key] < 1.0 for key in kept
    ):
        return ""
    name = f"{MIXED} {join([wording.thing(key, counts) for key in kept])}"
    return name if len(name) <= MAX_NAME else ""


def by_themes(spread: Spread, nearness: Nearness, number: int, fit: NDArray[np.float32]) -> str:
    """The two fittest tasks of one theme where many members share it; otherwise, said plainly, "Various: science and history".

    Args:
        spread: how each cluster's requests spread over the vocabulary.
        nearness: how near each cluster lies to it.
        number: the cluster.
        fit: float32 (tasks,), how well each task fits it, in standard deviations above all tasks.
    """
    shares, themes = spread.tasks[number], spread.themes[number]
    of = np.asarray(topics().theme_of)
    main = int(themes.argmax())
    inside = np.flatnonzero((of == main) & (shares > 0))
    if themes[main] >= _THEME and len(inside):
        best = inside[np.argsort(-fit[inside], kind="stable")][:2]
        return join([topics().tasks[best[0]], *(lower(topics().tasks[t]) for t in best[1:])])
    near = nearness.themes[number]
    close = np.flatnonzero(near >= _NEAR_THEME).tolist()
    lean = {theme: float(np.sort(fit[of == theme])[-3:].mean()) for theme in close}
    kept = [t for t in close if lean[t] >= (_LEANS_THEN if near[t] >= _NEAR_MOST else _LEANS)]
    kept = sorted(kept, key=lambda theme: (-lean[theme], theme))[:2]
    if not kept:
        return VARIOUS
    told = [topics().themes[theme] for theme in kept if lean[theme] >= _AS_MUCH * lean[kept[0]]]
    return f"{MIXED} {lower_theme(join_themes(told))}"
