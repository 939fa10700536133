"""Two releases over overlapping logs: sets of one that hold sets of the other and too few besides, found from the truth."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from clio.errors import PrivacyError
from clio.evaluation.attacks import Result, share
from clio.evaluation.attacks.differencing import truth_of
from clio.evaluation.attacks.equations import Few
from clio.evaluation.attacks.published import places_of, policy_of, published
from clio.evaluation.ground import Ground, Row
from clio.insights import Insights
from clio.progress import Advance, silent
from clio.run_folder import RunFolder
from clio.sources.common import TIME_KEYS, USER_KEYS, first, moment

# conversations, and accounts, that a log lacks: fewer than any policy shows
_FEW_CONVERSATIONS, _FEW_USERS = 3, 2
# share of the log that is the last week where it tells no times
_LAST = 0.1
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Release:
    """The published sets of a release, and of which conversations they are; private.

    Args:
        ids: of its n conversations, as the log gives them.
        sets: for each kind (the tree, or a facet's value) its sets, each the sorted rows of its conversations.
        disjoint: of each kind, the places of sets that share no conversation with one another: those of the deepest clusters.
        few: what is too few of its conversations.
    """

    ids: NDArray[np.str_] = field(repr=False)
    sets: Mapping[Hashable, Sequence[NDArray[np.int64]]] = field(repr=False)
    disjoint: Mapping[Hashable, Sequence[int]] = field(repr=False)
    few: Few


def release_of(insights: Insights, folder: Path, key_command: str | None = None) -> Release:
    """The release that a finished run made; ``key_command`` prints the key of its private zone.

    Raises:
        RunError: its private zone is gone.
    """
    truth = truth_of(insights, folder, key_command)
    places = list(places_of(insights, truth).values())
    made = published(insights, truth)
    tree = [np.concatenate([made.tree.sets[i] for i in np.flatnonzero(some)]) for some in made.tree.counts]
    sets: dict[Hashable, list[NDArray[np.int64]]] = {"tree": [*places, *tree]}
    disjoint: dict[Hashable, list[int]] = {"tree": list(range(len(places)))}
    parents = {cluster.parent for cluster in insights}
    for facet, (_, reading) in made.facets.items():
        for (node, value), rows in zip(reading.names, reading.rows(), strict=True):
            own = sets.setdefault((facet, value), [])
            if node not in parents:
                disjoint.setdefault((facet, value), []).append(len(own))
            own.append(rows)
    policy = policy_of(insights)
    few = truth.few(
        min(policy["min_users"], policy["min_cell_users"]),
        min(policy["min_conversations"], policy["min_cell_conversations"]),
    )
    ids = np.asarray(RunFolder(folder, key_command).read("facets", ["id"])["id"].to_pylist())
    return Release(
        ids, {kind: [np.sort(rows) for rows in some] for kind, some in sets.items()}, disjoint, few
    )


def subtractions(one: Release, other: Release) -> tuple[int, int]:
    """How many sets too few come of a set less what lies in it of the other release, or of what it lies in.

    Tried are each two sets of a kind, the union of all the other's places that lie within a set, and of all that it meets.

    Returns:
        How many hold a conversation that is in one of the releases only, and how many hold none: of the latter nobody can know that one
        set lies in the other, as they are only placed differently.
    """
    lone: set[frozenset[str]] = set()
    moved: set[frozenset[str]] = set()
    for outer, inner in ((one, other), (other, one)):
        for rows in _rests(outer, inner):
            ids = frozenset(outer.ids[rows].tolist())
            if not len(rows) or not outer.few.holds(rows):
                continue
            alone = not np.isin(outer.ids[rows], inner.ids).all()
            (lone if alone else moved).add(ids)
    return len(lone), len(moved)


def _rests(outer: Release, inner: Release) -> list[NDArray[np.int64]]:
    """What is left of each set of ``outer`` without the sets, and unions of sets, of ``inner`` that lie in it."""
    place = {id_: row for row, id_ in enumerate(outer.ids.tolist())}
    here = np.asarray([place.get(id_, -1) for id_ in inner.ids.tolist()], np.int64)
    found = []
    for kind, sets in outer.sets.items():
        others = inner.sets.get(kind, ())
        if not others:
            continue
        a, b = _matrix(sets, len(outer.ids)), _matrix([here[rows] for rows in others], len(outer.ids))
        shared = (a @ b.T).toarray()
        sizes = np.asarray([len(rows) for rows in others])
        within = (shared == sizes) & (shared > 0)
        parts = np.isin(np.arange(len(others)), inner.disjoint.get(kind, ()))
        for i, rows in enumerate(sets):
            found += [np.setdiff1d(rows, here[others[j]]) for j in np.flatnonzero(within[i]).tolist()]
            several = np.flatnonzero(within[i] & parts).tolist()
            if len(several) > 1:
                found.append(np.setdiff1d(rows, np.concatenate([here[others[j]] for j in several])))
        mine = outer.disjoint.get(kind, ())
        for j, rows in enumerate(others):
            # all places here that meet a set there, if they hold it whole
            meeting = [i for i in mine if shared[i, j]]
            if len(meeting) > 1 and shared[meeting, j].sum() == sizes[j]:
                found.append(np.setdiff1d(np.concatenate([sets[i] for i in meeting]), here[rows]))
    return found


def _matrix(sets: Sequence[NDArray[np.int64]], n: int) -> csr_array:
    """Sets as rows over n conversations; those elsewhere (-1) are left out."""
    rows = np.repeat(np.arange(len(sets)), [len(some) for some in sets])
    columns = np.concatenate(sets) if sets else np.empty(0, np.int64)
    kept = columns >= 0
    return csr_array((np.ones(int(kept.sum()), np.int64), (rows[kept], columns[kept])), shape=(len(sets), n))


def releases(ground: Ground, seed: int = 0, *, progress: Advance = silent) -> list[Result]:
    """Release a log again and again with small changes, without and with a ledger, and subtract every two releases.

    Args:
        ground: its log should tell times, otherwise its end stands for its last week.
        seed: chooses what is left out.
        progress: called with the number of runs done.

    Returns:
        The share of pairs of releases that single out too few, if there were no ledger and among those that it let through; and, of
        which nothing is promised, the share of pairs in which sets of the same conversations happen to differ by too few.
    """
    rows = [{**row, "id": str(row.get("id") or number)} for number, row in enumerate(ground.rows)]
    logs = _variants(rows, np.random.default_rng(seed))
    ground.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    free = _released(ground, logs, "off", progress)
    with TemporaryDirectory(dir=ground.folder, prefix="ledger-") as ledger:
        kept = _released(ground, logs, ledger, progress)
    refused = len(free.keys() - kept.keys())
    results = []
    for case, made, limit, told in (
        ("no ledger", free, None, ""),
        ("let through by the ledger", kept, 0.0, f", {refused} refused"),
    ):
        pairs = [subtractions(made[a], made[b]) for a, b in combinations(made, 2)]
        if pairs:
            isolated = [number for number, _ in pairs]
            note = f"{len(made)} releases{told}; {sum(isolated)} sets"
            results.append(_pairs(f"two releases, {case}", isolated, limit, note))
        if pairs and limit is None:
            moved = [number for _, number in pairs]
            note = f"{sum(moved)} sets of conversations that both releases hold"
            results.append(_pairs("two releases, placed differently", moved, None, note))
    return results


def _pairs(case: str, isolated: Sequence[int], limit: float | None, note: str) -> Result:
    return share("differencing", case, sum(number > 0 for number in isolated), len(isolated), limit, note)


def _released(
    ground: Ground,
    logs: Mapping[str, tuple[Sequence[Row], Mapping[str, int]]],
    ledger: str,
    progress: Advance,
) -> dict[str, Release]:
    """The releases of some logs, one after the other, but for those that the gate or the ledger refuses."""
    made: dict[str, Release] = {}
    for number, (name, (log, changes)) in enumerate(logs.items()):
        folder = f"release-{number}-{'free' if ledger == 'off' else 'kept'}"
        try:
            insights, path = ground.run(folder, log, ledger=ledger, **_changed(ground, changes))
        except PrivacyError:
            continue
        finally:
            progress(1)
        made[name] = release_of(insights, path, ground.settings.encryption_key_command)
    return made


def _changed(ground: Ground, changes: Mapping[str, int]) -> dict[str, Any]:
    """Settings with a number added to what they are, or would be."""
    default = {"seed": 0, "cluster_size": 30, "min_users": 5}
    told = {name: getattr(ground.settings, name) for name in changes}
    return {name: (default[name] if told[name] is None else told[name]) + by for name, by in changes.items()}


def _variants(
    rows: Sequence[Row], rng: np.random.Generator
) -> dict[str, tuple[Sequence[Row], Mapping[str, int]]]:
    """Logs and changes of settings, by name: the log but for its last week, and what else may be released of it."""
    last = _last_week(rows)
    base = [row for row, is_last in zip(rows, last, strict=True) if not is_last]
    week = [row for row, is_last in zip(rows, last, strict=True) if is_last]
    gone = set(rng.choice(len(base), _FEW_CONVERSATIONS, replace=False).tolist())
    accounts = [str(first(row, USER_KEYS) or row["id"]) for row in base]
    left = set(rng.choice(sorted(set(accounts)), _FEW_USERS, replace=False).tolist())
    return {
        "first": (base, {}),
        "another seed": (base, {"seed": 1}),
        "larger clusters": (base, {"cluster_size": 10}),
        "more users needed": (base, {"min_users": 2}),
        "a few conversations less": ([row for i, row in enumerate(base) if i not in gone], {}),
        "a few users less": ([row for row, who in zip(base, accounts, strict=True) if who not in left], {}),
        "a week more": (rows, {}),
        "the week alone": (week, {}),
    }


def _last_week(rows: Sequence[Row]) -> NDArray[np.bool_]:
    """Which conversations are of the last seven days; of the last tenth where the log does not tell."""
    times = [moment(first(row, TIME_KEYS)) for row in rows]
    known = [time for time in times if time]
    if len(known) == len(rows):
        return np.asarray([time > max(known) - _WEEK for time in known], bool)
    return np.arange(len(rows)) >= len(rows) * (1 - _LAST)
