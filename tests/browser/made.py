"""Runs that nobody had: insights of any size as a gate might give them, with names that would like to be more than text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, product

import numpy as np
from numpy.typing import NDArray

from clio.insights import Cell, Group, Insight, Insights
from clio.insights.intervals import Sample
from clio.insights.model import Near

Counts = NDArray[np.int64]
#: a cluster's place among its siblings, from the top down; () is the run
Path = tuple[int, ...]

#: what a name, a description or a facet's value may be in the worst case; each would show if it were markup, script or formula
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "=cmd|' /C calc'!A0",
    "\"><svg onload=alert(3)> & 'quotes' &lt;b&gt;",
    "javascript:alert(4)",
    "{{constructor.constructor('alert(5)')()}} ${alert(6)}",
    "أسئلة عن الترجمة (עברית) والتحرير",
    "翻訳と編集についての質問、そして長い文章の要約をお願いする会話",
    "👩‍👩‍👧‍👦 Plan trips 🏖️ with e\u0301 and Z\u0351\u036b\u0343\u036a",
    "Write " + "a very long name that does not end " * 12,
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 4,
    "@SUM(1+1)*cmd|' /C calc'!A0",
)
THEMES = (
    "Software development",
    "Learning and explanation",
    "Business writing",
    "Creative writing and games",
    "Translation and editing",
    "Data and spreadsheets",
    "Health and wellbeing",
    "Law, tax and policy",
    "Careers and job search",
    "Home, travel and food",
)
VERBS = ("Fix", "Draft", "Explain", "Compare", "Plan", "Translate", "Practise", "Design")
THINGS = ("emails", "pages", "lessons", "tables", "recipes", "contracts", "stories", "tests")
FACETS: dict[str, tuple[str, ...]] = {
    "language": ("en", "ja", "de", "es", "fr", "zh", "ar"),
    "concern": ("1", "2", "3", "4", "5"),
    "week": tuple(f"2026-W{week}" for week in range(14, 26)),
    "model": ("small-1", "large-2", HOSTILE[0]),
}
#: below this a cell is not shown
LEAST = 10
ABOUT = {
    "clio": "0.1.0",
    "clustered": "request",
    "embedder": "made-up",
    "prompts": "0123456789abcdef0123456789abcdef",
    "seed": 0,
    "policy": {
        "name": "internal",
        "min_users": 5,
        "min_conversations": 15,
        "min_cell_users": 5,
        "min_cell_conversations": LEAST,
    },
    "caveats": ["Made up: nobody said this.", HOSTILE[1]],
}


def made(leaves: int = 100, *, hostile: bool = True, seed: int = 0) -> Insights:
    """Insights of three levels with about as many base clusters as asked for; the same arguments give the same insights.

    Discs are packed within discs as the map expects: siblings nearly touch, and their areas are their conversations.
    """
    dice = np.random.default_rng(seed)
    tops = len(THEMES)
    mids = max(1, round((leaves / tops / 2) ** 0.5))
    inner = max(1, round(leaves / tops / mids))
    sizes = [[_sizes(dice, inner) for _ in range(mids)] for _ in range(tops)]
    likes = {facet: dice.dirichlet(_rates(values), tops) for facet, values in FACETS.items()}
    totals: dict[Path, dict[str, Counts]] = {}
    family: dict[Path, list[Path]] = {}
    for path in product(range(tops), range(mids), range(inner)):
        size = sizes[path[0]][path[1]][path[2]]
        drawn = {facet: dice.multinomial(size, likes[facet][path[0]]) for facet in FACETS}
        for step in range(4):
            own = totals.setdefault(path[:step], {facet: np.zeros_like(n) for facet, n in drawn.items()})
            for facet, n in drawn.items():
                own[facet] += n
    for path in sorted(totals, key=lambda path: (len(path), path)):
        if path:
            family.setdefault(path[:-1], []).append(path)
    rest = 400
    everything = _size(totals[()]) + rest
    base = {facet: _share(counts, everything) for facet, counts in totals[()].items()}
    places = _places(sizes)
    names = {path: _name(path) for path in totals if path}
    if hostile:
        bases = [path for path in names if len(path) == 3]
        names |= dict(zip(bases[:: max(1, len(bases) // 20)], HOSTILE, strict=False))
        names[tops - 1,] = HOSTILE[0]
    clusters = []
    for path in chain.from_iterable(family.values()):
        size = _size(totals[path])
        siblings = [other for other in family[path[:-1]] if other != path][:6]
        clusters.append(
            Insight(
                _id(path),
                _id(path[:-1]) if path[1:] else None,
                len(path),
                names[path],
                f"People ask for help with {names[path]}. Requests are practical and short; many go on from a draft.",
                size,
                _band(size),
                size / everything,
                4 + size % 2,
                *places[path],
                tuple(_cells(totals[path], size, base)),
                tuple(Near(_id(other), round(0.9 - 0.05 * i, 2)) for i, other in enumerate(siblings)),
            )
        )
    clusters.sort(key=lambda cluster: cluster.level)
    return Insights(
        tuple(clusters),
        (Group(None, rest, "100-499"),),
        tuple(_cells(totals[()], everything, base)),
        everything,
        _band(everything),
        {"failed the audit": rest // 4, HOSTILE[3]: rest - rest // 4},
        ABOUT,
        Sample(20 * everything, everything, "week"),
    )


def single() -> Insights:
    """One cluster and nothing else."""
    cell = Cell("language", "en", 60, 1.0, 1.0)
    only = Insight("1.1", None, 1, "Ask about anything", "All of it.", 60, "10-49", 1.0, 5, 0.0, 0.0, (cell,))
    return Insights((only,), (), (cell,), 60, "10-49", {}, {"seed": 0})


def empty() -> Insights:
    """A run in which nothing could be shown."""
    return Insights((), (Group(None, 300, "10-49"),), (), 300, "10-49", {"too few people": 300}, {"seed": 0})


def _sizes(dice: np.random.Generator, n: int) -> list[int]:
    drawn = (40 + 60 * dice.pareto(1.6, n)).clip(max=2500).astype(int)
    return sorted(drawn.tolist(), reverse=True)


def _rates(values: Sequence[str]) -> NDArray[np.float64]:
    """Weights of a Dirichlet draw: weeks alike, of other values the first the commonest."""
    return 6 + np.arange(len(values)) / 4 if "-W" in values[0] else 5 / (1 + np.arange(len(values)))


def _size(counts: dict[str, Counts]) -> int:
    return int(counts["week"].sum())


def _share(counts: Counts, of: int) -> NDArray[np.float64]:
    return np.where(counts >= LEAST, counts / of, 0.0)


def _cells(counts: dict[str, Counts], of: int, base: dict[str, NDArray[np.float64]]) -> Iterator[Cell]:
    for facet, values in FACETS.items():
        for value, n, rate in zip(values, counts[facet].tolist(), base[facet].tolist(), strict=True):
            if n >= LEAST and rate:
                yield Cell(facet, value, n, n / of, rate)


def _id(path: Path) -> str:
    return f"{len(path)}.{'-'.join(str(step + 1) for step in path)}"


def _name(path: Path) -> str:
    if len(path) == 1:
        return THEMES[path[0]]
    step = sum(7**i * own for i, own in enumerate(path))
    name = f"{VERBS[step % 8]} {THINGS[(step // 8 + path[-1]) % 8]}"
    return f"{name}, part {path[1] + 1}" if len(path) == 2 else f"{name} of kind {path[1] + 1}.{path[2] + 1}"


def _band(users: int) -> str:
    low = next(low for low in (10_000, 5_000, 1_000, 500, 100, 50, 10, 0) if users // 2 >= low)
    return f"{low:,}+"


def _places(sizes: list[list[list[int]]]) -> dict[Path, tuple[float, float]]:
    """Discs within discs within discs, all within -0.95..0.95."""
    inner = [[_packed([n**0.5 for n in group]) for group in theme] for theme in sizes]
    middle = [_packed([reach for _, reach in theme]) for theme in inner]
    outer, whole = _packed([reach for _, reach in middle])
    found: dict[Path, complex] = {}
    for i, theme in enumerate(inner):
        found[(i,)] = outer[i]
        for j, (spots, _) in enumerate(theme):
            found[i, j] = outer[i] + middle[i][0][j]
            found |= {(i, j, k): found[i, j] + spot for k, spot in enumerate(spots)}
    return {
        path: (float(spot.real), float(spot.imag))
        for path, at in found.items()
        for spot in (0.95 * at / whole,)
    }


def _packed(radii: Sequence[float]) -> tuple[NDArray[np.complex128], float]:
    """Places (n,) of discs around the origin, none over another, and how far they reach: each goes where it is nearest to the middle."""
    places = np.zeros(len(radii), complex)
    own = np.asarray(radii) * 1.04
    turns = np.exp(2j * np.pi * np.arange(12) / 12)
    for n in range(1, len(own)):
        # around every disc that lies already, touching it
        spots = (places[:n, None] + (own[:n] + own[n])[:, None] * turns).ravel()
        gaps = np.abs(spots[:, None] - places[:n]) - own[:n] - own[n]
        free = spots[gaps.min(axis=1) > -1e-9]
        places[n] = free[np.abs(free).argmin()]
    return places, float((np.abs(places) + own).max())
