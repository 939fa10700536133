"""A blind sheet about one run for people to rate: its summaries, its names, and whether the members of a cluster belong together.

Names are put to the test by a share of them that are a near cluster's, members by an intruder among them (Chang et al. 2009, "Reading tea
leaves: how humans interpret topic models", NIPS 22). Which is which stands in the key, which stays in the run's private zone; raters get
the sheet alone. It shows what people wrote, so all of this belongs to the private zone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import numpy as np

from clio.errors import RunError
from clio.insights import Insight, Insights
from clio.insights.text import one_line
from clio.privacy import names, pii
from clio.run_folder import RunFolder
from clio.stored import batches, turns_of

Kind = Literal["summary", "members", "name"]
LETTERS = "ABCDEFGHI"
RATINGS = "12345"
# the share of names that are a near cluster's
_SWAPPED = 0.5
# of a conversation: turns that are shown, characters of each from both ends, and characters of each that are looked at
_TURNS, _HEAD, _TAIL, _LOOKED_AT = 4, 600, 200, 8_000
# characters before a cut that are not shown: half an identifier may stand there
_MARGIN = 100


@dataclass(frozen=True, slots=True)
class Item:
    """One question: ``title`` and ``detail`` are what is rated (empty for members), ``texts`` what it is held against."""

    id: str
    kind: Kind
    title: str = field(repr=False)
    detail: str = field(repr=False)
    texts: Sequence[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Items in the order in which they are asked, and the key: what is true of each, by its id.

    A key's entry has ``kind`` and ``cluster``; of a name also ``shown``, the cluster whose name it is; of members ``answer``, the
    intruder's letter, ``shown``, its cluster, and ``of``, how many there are. ``id`` fits no other sheet, and tells those who do not have
    the run nothing of the key.
    """

    id: str
    items: Sequence[Item] = field(repr=False)
    key: Mapping[str, Mapping[str, str]] = field(repr=False)


def allowed(truth: Mapping[str, str]) -> str:
    """The characters of which one may be answered to an item, by its entry in the key."""
    return LETTERS[: int(truth["of"])] if truth["kind"] == "members" else RATINGS


class _Draft(NamedTuple):
    """An item before it has its place."""

    kind: Kind
    title: str
    detail: str
    texts: Sequence[str]
    truth: Mapping[str, str]


def draw(folder: RunFolder, insights: Insights, clusters: int = 20, members: int = 5, seed: int = 0) -> Sheet:
    """Draw a sheet: up to three items about each of some shown base clusters, which are spread over all sizes.

    No conversation and no name stands on a sheet twice, so that no item gives away another.

    Args:
        folder: of a finished run whose private zone is still there.
        insights: what it shows.
        clusters: how many at most, 2 or more.
        members: requests beside a name, and among which an intruder is looked for; 3 to 9.
        seed: of all that is random; the same run, numbers and seed give the same sheet.

    Raises:
        RunError: the private zone is gone, or fewer than two clusters are shown with enough different requests.
    """
    rng = np.random.default_rng(seed)
    known = _Known.read(folder, insights, rng)
    able = known.with_at_least(2 * members + 1)
    if len(able) < 2:
        raise RunError(
            f"{folder.path}: shows {len(able)} base clusters with {2 * members + 1} different requests, "
            "and a review compares two or more; ask for fewer --members, or make larger clusters"
        )
    chosen = _spread(able, clusters, rng)
    swaps = _swaps(chosen, known.shown, rng)
    # every cluster's own first, then what it may lend to others
    own = {c.id: [known.rows[c.id].pop() for _ in range(2 * members)] for c in chosen}
    told = _turns(folder, sorted(rows[-1] for rows in own.values()))
    drafts: dict[Kind, list[_Draft]] = {"summary": [], "members": [], "name": []}
    for cluster in chosen:
        rows, truth = own[cluster.id], {"cluster": cluster.id}
        drafts["summary"].append(_Draft("summary", known.requests[rows[-1]], "", told[rows[-1]], truth))
        other = known.shown[swaps.get(cluster.id, cluster.id)]
        texts = [known.texts[row] for row in rows[:members]]
        drafts["name"].append(
            _Draft("name", other.name, other.description, texts, {**truth, "shown": other.id})
        )
        lender = next((near.id for near in _near(cluster, known.shown) if known.rows[near.id]), None)
        if lender is not None:
            texts = [known.texts[row] for row in rows[members:-1]]
            place = int(rng.integers(members))
            texts.insert(place, known.texts[known.rows[lender].pop()])
            intruder = {"shown": lender, "answer": LETTERS[place], "of": str(members)}
            drafts["members"].append(_Draft("members", "", "", texts, {**truth, **intruder}))
    # names come last: who knows them would find intruders by them
    ordered = [some[i] for some in drafts.values() for i in rng.permutation(len(some))]
    items = [
        Item(str(n), d.kind, one_line(d.title), one_line(d.detail), [_lines(text) for text in d.texts])
        for n, d in enumerate(ordered, 1)
    ]
    key = {item.id: {"kind": d.kind, **d.truth} for item, d in zip(items, ordered, strict=True)}
    return Sheet(_id(known.stages, items, key), items, key)


def _id(stages: Sequence[str], items: Sequence[Item], key: Mapping[str, Any]) -> str:
    """What names a sheet: a hash with the keys of the run's stages, so that nobody without the run can try keys on it."""
    return sha256(json.dumps([stages, [asdict(item) for item in items], key]).encode()).hexdigest()[:12]


@dataclass(slots=True)
class _Known:
    """What a sheet is drawn from: shown base clusters by id, rows of theirs with different requests in random order, texts of all rows."""

    shown: Mapping[str, Insight]
    rows: Mapping[str, list[int]] = field(repr=False)
    requests: Sequence[str] = field(repr=False)
    texts: Sequence[str] = field(repr=False)
    stages: Sequence[str] = field(repr=False)

    @staticmethod
    def read(folder: RunFolder, insights: Insights, rng: np.random.Generator) -> _Known:
        if not folder.private.is_dir():
            raise RunError(
                f"{folder.path}: its private zone was deleted, and with it all that could be rated"
            )
        facet = str(insights.about.get("clustered", "request"))
        facets = folder.read("facets", list(dict.fromkeys(("request", facet, "duplicate"))))
        assigned = folder.read("assignments", ["cluster"])
        of: Sequence[str | None] = assigned["cluster"].to_pylist()
        base = set(of)
        shown = {cluster.id: cluster for cluster in insights if cluster.id in base}
        texts = [text or "" for text in facets[facet].to_pylist()]
        first = np.unique(facets["duplicate"].to_numpy(), return_index=True)[1]
        rows: dict[str, list[int]] = {id_: [] for id_ in shown}
        seen: set[str] = set()
        for row in rng.permutation(first).tolist():
            folded = one_line(texts[row]).casefold()
            cluster = of[row]
            if cluster in rows and folded and folded not in seen:
                seen.add(folded)
                rows[cluster].append(row)
        stages = [str(table.schema.metadata[b"clio.key"]) for table in (facets, assigned)]
        return _Known(shown, rows, [text or "" for text in facets["request"].to_pylist()], texts, stages)

    def with_at_least(self, rows: int) -> list[Insight]:
        return [cluster for cluster in self.shown.values() if len(self.rows[cluster.id]) >= rows]


def _spread(clusters: Sequence[Insight], most: int, rng: np.random.Generator) -> list[Insight]:
    """At most so many clusters, one of each stratum of sizes."""
    by_size = sorted(clusters, key=lambda cluster: (cluster.conversations, cluster.id))
    strata = np.array_split(np.arange(len(by_size)), min(most, len(by_size)))
    return [by_size[int(rng.choice(stratum))] for stratum in strata]


def _near(cluster: Insight, shown: Mapping[str, Insight]) -> Iterator[Insight]:
    """The other base clusters: siblings first, each the nearest first, those that are not known to be near last."""
    rank = {near.id: place for place, near in enumerate(cluster.nearest)}
    others = [other for other in shown.values() if other.id != cluster.id]
    yield from sorted(others, key=lambda o: (o.parent != cluster.parent, rank.get(o.id, len(shown)), o.id))


def _swaps(
    chosen: Sequence[Insight], shown: Mapping[str, Insight], rng: np.random.Generator
) -> dict[str, str]:
    """Whose name is shown for about half of the chosen clusters; at least one keeps its own, and no name is shown twice."""
    ids = {cluster.id for cluster in chosen}
    swaps: dict[str, str] = {}
    for i in rng.permutation(len(chosen)):
        cluster = chosen[i]
        if len(swaps) >= int(_SWAPPED * len(chosen)):
            break
        if cluster.id in swaps:
            continue
        for other in _near(cluster, shown):
            if other.id in swaps.values() or other.name.casefold() == cluster.name.casefold():
                continue
            if other.id not in ids or other.id in swaps:
                swaps[cluster.id] = other.id
                break
            # its own name would stand on the sheet too: they exchange theirs
            if len(swaps) + 2 < len(chosen):
                swaps |= {cluster.id: other.id, other.id: cluster.id}
                break
    return swaps


def _turns(folder: RunFolder, rows: Sequence[int]) -> dict[int, list[str]]:
    """What the user said in the conversations of some rows, in order: masked, long turns and long conversations shortened."""
    wanted, start, found = np.asarray(rows), 0, {}
    mask = names.mask if folder.facts().get("settings", {}).get("mask_names") else pii.mask
    for batch in batches(folder, ["messages"]):
        here = wanted[(wanted >= start) & (wanted < start + len(batch))]
        if len(here):
            for row, turns in zip(here.tolist(), turns_of(batch.take(here - start)), strict=True):
                said = [text for role, text in turns if role == "user" and text.strip()]
                shown = [_shortened(text, mask) for text in said[:_TURNS]]
                more = len(said) - len(shown)
                found[row] = [*shown, f"[… {more} more]"] if more > 0 else shown
        start += len(batch)
    return found


def _shortened(text: str, mask: Callable[[str], str]) -> str:
    """A masked text from both ends; it is masked before it is cut."""
    if len(text) <= _LOOKED_AT:
        masked = mask(text)
        if len(masked) <= _HEAD + _TAIL:
            return masked
        return f"{masked[:_HEAD]} […] {masked[-_TAIL:]}"
    head, tail = mask(text[: _LOOKED_AT // 2]), mask(text[-_LOOKED_AT // 2 :])
    return f"{head[:-_MARGIN][:_HEAD]} […] {tail[_MARGIN:][-_TAIL:]}"


def _lines(text: str) -> str:
    """A text that can neither hide nor command anything, its lines kept."""
    return "\n".join(line for part in text.splitlines() if (line := one_line(part)))
