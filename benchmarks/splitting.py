"""Does it pay to count requests? python benchmarks/splitting.py LOG [--others CHATS…] [--limit 4000] [--seeds 3]

A log whose ``label`` and ``parent_label`` are sets, as of the Schema-Guided Dialogue dataset ("FindEvents+CheckBalance" under
"Banks+Events"): a conversation asks for one thing or for several. It is run twice, counted by conversations and by requests, with the
same vectors, each conversation an account of its own. Printed is where conversations are parted, and how well the places of a
conversation tell its set of categories: each base cluster is given to one category, by what most of its members are nearest to in a
codebook of the labels, and, as the best that grouping allows, by the truth. Means over seeds. Beside them stand as many parts of the same
conversations, parted before turns at random: what more places alone would do. Before it: how often the place is found
where two conversations of one label are joined, and how many conversations of other logs are parted.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clio import sources
from clio.conversation import Conversation, Message
from clio.evaluation import clustered, labelled
from clio.evaluation.ground import Ground, Row
from clio.evaluation.labelled import Labelled
from clio.evaluation.reconstruction import Codebook, by_members
from clio.evaluation.remembering import Remembering
from clio.facets.language import detect
from clio.facets.request import says_something
from clio.models import embedder
from clio.run_folder import RunFolder
from clio.settings import Settings
from clio.splitting import EMBEDDER, parts

Floats = NDArray[np.float64]
WAYS = ("conversations", "requests", "random places")
MEASURES = ("precision", "recall", "F1", "shares of requests off by", "shares of conversations off by")


def main() -> None:
    """Run both ways, and print both tables."""
    told = argparse.ArgumentParser()
    told.add_argument("log")
    told.add_argument("--others", nargs="*", default=[])
    told.add_argument("--limit", type=int, default=4000)
    told.add_argument("--seeds", type=int, default=3)
    chosen = told.parse_args()
    log = labelled.read([chosen.log]).sample(chosen.limit)
    truth = Truth.of(log)
    for other in chosen.others:
        print_parted(other)
    print_joined(log, truth)
    encoder = Remembering(embedder("minilm"))
    lines: dict[str, list[Floats]] = {}
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground(log.rows, Settings(users="conversation", ledger="off"), Path(folder), encoder)
        sizes = np.asarray([len(some) for some in parts(talks(log.rows), embedder(EMBEDDER))])
        print_parts(truth, np.repeat(np.arange(len(sizes)), sizes))
        for seed, way in itertools.product(range(chosen.seeds), WAYS):
            if way == "random places":
                rows = at_random(log.rows, sizes, seed)
                insights, out = ground.run(f"{way}-{seed}", rows, seed=seed, users="field")
            else:
                insights, out = ground.run(f"{way}-{seed}", log.rows, seed=seed, count=way)
            found = clustered.of_run(insights, out)
            requests = RunFolder(out).read("facets", ["id", "request"]).to_pylist()
            said = {row["id"]: row["request"] for row in requests if row["request"]}
            told_by = by_members(found, truth.codebook, said, encoder)
            places = len(found.ids) / len(log.rows)
            shape = [places, int(found.levels[0].max()) + 1, insights.coverage]
            for how, given in (("codebook", told_by), ("best", truth.best(found))):
                measured = truth.measures(truth.rows(found.ids), given)
                lines.setdefault(f"{way}, {how}", []).append(np.asarray([*shape, *measured]))
    print(
        f"\n{'counted, given by':<26}{'places':>7}{'clusters':>9}{'shown':>7}"
        + "".join(f"  {measure:>6}" for measure in MEASURES)
    )
    for name, some in lines.items():
        places, clusters, shown, *rest = np.mean(some, axis=0)
        cells = "".join(f"  {value:>{max(6, len(m))}.3f}" for value, m in zip(rest, MEASURES, strict=True))
        print(f"{name:<26}{places:>7.2f}{clusters:>9.0f}{shown:>7.1%}{cells}")


@dataclass(frozen=True, slots=True)
class Truth:
    """The categories and labels of n conversations: ``ids``, bool (n, c) and bool (n, labels), and a codebook of the categories."""

    ids: Sequence[str]
    categories: NDArray[np.bool_]
    labels: NDArray[np.bool_]
    codebook: Codebook

    @staticmethod
    def of(log: Labelled) -> Truth:
        """Read the sets; what label is under what category is told by the conversations of one category."""
        ids = [row["id"] for row in log.rows]
        above, labels = ([some[id_].split("+") for id_ in ids] for some in (log.above, log.label))
        names = sorted(set(itertools.chain(*above)))
        pairs = [(a[0], label) for a, own in zip(above, labels, strict=True) if len(a) == 1 for label in own]
        return Truth(ids, _sets(above), _sets(labels), Codebook.of_labels(names, pairs))

    def rows(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """The conversation that each place is of, int64."""
        number = {id_: n for n, id_ in enumerate(self.ids)}
        return np.asarray([number[id_ if id_ in number else id_.rpartition("/")[0]] for id_ in ids], np.int64)

    def best(self, found: clustered.Clustered) -> NDArray[np.int32]:
        """The category of each place if every base cluster is given to that which most of its conversations have."""
        base = found.levels[0]
        weights = self.categories / self.categories.sum(axis=1, keepdims=True)
        votes = np.zeros((int(base.max()) + 2, self.categories.shape[1]))
        np.add.at(votes, base, weights[self.rows(found.ids)])
        return np.where(base >= 0, votes.argmax(axis=1)[base], -1).astype(np.int32)

    def measures(self, rows: NDArray[np.int64], given: NDArray[np.int32]) -> list[float]:
        """``MEASURES`` of the places, given to categories: micro-averaged over conversations; half the sum of shares' errors."""
        told = np.zeros_like(self.categories)
        placed = given >= 0
        told[rows[placed], given[placed]] = True
        hits = np.count_nonzero(told & self.categories)
        precision, recall = hits / told.sum(), hits / self.categories.sum()
        shares = np.bincount(given[placed], minlength=self.categories.shape[1]) / placed.sum()
        return [
            precision,
            recall,
            2 * precision * recall / (precision + recall),
            float(np.abs(shares - self.categories.sum(axis=0) / self.categories.sum()).sum() / 2),
            float(np.abs(told.mean(axis=0) - self.categories.mean(axis=0)).mean()),
        ]


def print_parts(truth: Truth, rows: NDArray[np.int64]) -> None:
    """Print how many parts conversations have, by how many categories and labels they have."""
    parts = np.bincount(rows, minlength=len(truth.ids))
    for what, sets in (("categories", truth.categories), ("labels", truth.labels)):
        size = sets.sum(axis=1)
        print(f"\n{what:<12}{'conversations':>14}{'parted':>8}{'parts':>7}")
        for n in np.unique(size):
            own = parts[size == n]
            print(f"{n:<12}{len(own):>14,}{(own > 1).mean():>8.1%}{own.mean():>7.2f}")
        right = np.count_nonzero((parts > 1) & (size > 1))
        print(
            f"several: precision {right / (parts > 1).sum():.3f}, recall {right / (size > 1).sum():.3f};"
            f" several in {np.mean(size > 1):.1%}"
        )


def talks(rows: Sequence[Row]) -> list[Conversation]:
    """Rows of a log as conversations."""
    return [
        Conversation(row["id"], tuple(Message(m["role"], m["content"]) for m in row["messages"]))
        for row in rows
    ]


def at_random(rows: Sequence[Row], sizes: NDArray[np.int64], seed: int) -> list[Row]:
    """A log of the parts of each row, as many as given (or as it has turns that say something), each by the row's own user."""
    dice = np.random.default_rng(seed)
    found: list[Row] = []
    for row, size in zip(rows, sizes, strict=True):
        said = row["messages"]
        turns = [n for n, m in enumerate(said) if n and m["role"] == "user" and says_something(m["content"])]
        cuts = np.sort(dice.permutation(turns)[: size - 1]).astype(int).tolist()
        found += [
            {"id": f"{row['id']}/{n}", "user_id": row["id"], "messages": said[a:b]}
            for n, (a, b) in enumerate(itertools.pairwise([0, *cuts, len(said)]), 1)
        ]
    return found


def print_joined(log: Labelled, truth: Truth) -> None:
    """Print how well places are found at which two conversations of one label each are joined."""
    single = [row for row, own in zip(log.rows, truth.labels, strict=True) if own.sum() == 1]
    said = [talk.messages for talk in talks(single)]
    pairs = list(zip(said[::2], said[1::2], strict=False))
    found = parts([Conversation("", one + other) for one, other in pairs], embedder(EMBEDDER))
    cuts = [set(np.cumsum([len(part.messages) for part in some])[:-1].tolist()) for some in found]
    right = sum(len(one) in own for (one, _), own in zip(pairs, cuts, strict=True))
    print(
        f"joined: {len(pairs):,} pairs, precision {right / sum(map(len, cuts)):.3f}, recall {right / len(pairs):.3f}"
    )


def print_parted(log: str) -> None:
    """Print how many conversations of several turns are parted, in English and in other languages."""
    read = [one for one in sources.open([log]) if isinstance(one, Conversation)]
    several = [one for one in read if sum(m.role == "user" for m in one.messages) > 1]
    parted = np.asarray([len(some) > 1 for some in parts(several, embedder(EMBEDDER))])
    spoken = detect([" ".join(m.content for m in one.messages if m.role == "user") for one in several])
    english = np.asarray([language == "en" for language in spoken])
    shares = ", ".join(
        f"{name} {parted[own].mean():.1%} of {own.sum():,}"
        for name, own in (("English", english), ("others", ~english))
        if own.any()
    )
    print(f"{Path(log).name.partition('.')[0]}: {shares}")


def _sets(some: Sequence[Sequence[str]]) -> NDArray[np.bool_]:
    """Which of all names, in order, each set has: bool (n, names)."""
    names = sorted(set(itertools.chain(*some)))
    return np.asarray([[name in own for name in names] for own in map(set, some)])


if __name__ == "__main__":
    main()
