"""Membership inference: who has what is published, and a conversation, guesses whether it was in the log.

Accounts, not conversations, are split: half of them are in a log that is released, half are not. Other accounts make reference releases
that calibrate a guess (Carlini et al. 2022, arXiv 2112.03570); what the combined attacker learns, it learns on the other splits, where it
knows the answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clio.errors import SettingsError
from clio.evaluation.attacks import Result
from clio.evaluation.ground import Ground, Row
from clio.evaluation.remembering import Remembering
from clio.facets.request import extract
from clio.insights import Insights
from clio.models import embedder
from clio.models.protocols import Embedder
from clio.progress import Advance, silent
from clio.sources.common import USER_KEYS, first
from clio.text import ENGLISH_STOP_WORDS, lemma, tokens

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_LIMIT = 0.55
# what is measured of a target against a release, in this order
_NEAR, _NEAR_FEW, _RARE, _SIZE = range(4)
_FEATURES = 4
_NEAREST = 5
# words in fewer than this share of reference conversations are rare
_RARE_SHARE = 0.005
# the strangest, and the largest accounts, are this share of all
_EXTREME = 0.05
_NEIGHBOURS = 10
_DRAWS = 1000
_ROWS = 2048
_STEPS = 100  # of Newton's method, which takes about ten


def membership(
    ground: Ground,
    *,
    targets: int | None = None,
    splits: int = 6,
    references: int = 3,
    seed: int = 0,
    progress: Advance = silent,
) -> list[Result]:
    """Attack releases of random halves of a log's accounts.

    Args:
        ground: half of its accounts are attacked, the other half make reference releases.
        targets: conversations to guess about, whole accounts at random until there are as many; None for all.
        splits: releases that are attacked, each of another random half of the attacked accounts; at least 2.
        references: reference releases.
        seed: of all that is random.
        progress: called with the number of runs done.

    Returns:
        The AUC of each attacker, averaged over the splits, with the 95 % interval of a bootstrap over splits and accounts.

    Raises:
        SettingsError: fewer than two splits, or no conversation to guess about.
        PrivacyError: the log is too small for a release of a quarter of its accounts.
    """
    if splits < 2 or references < 1:
        raise SettingsError("membership needs two splits and a reference release at least")
    rng = np.random.default_rng(seed)
    encoder = ground.encoder or Remembering(embedder("minilm"))
    rows = [{**row, "id": str(row.get("id") or number)} for number, row in enumerate(ground.rows)]
    accounts = np.unique([account(row, ground) for row in rows], return_inverse=True)[1]
    pool = rng.permutation(np.arange(accounts.max() + 1) % 2 == 0)
    rare = _rare_words([row for row, who in zip(rows, accounts, strict=True) if not pool[who]])
    known = _targets(rows, accounts, pool, targets, rng, encoder, rare)

    def release(name: str, members: Bools) -> Insights:
        log = [row for row, who in zip(rows, accounts, strict=True) if members[who]]
        insights, _ = ground.run(f"membership-{seed}-{name}", log, ledger="off")
        progress(1)
        return insights

    outside = [_half(~pool, rng) for _ in range(references)]
    shadow = np.stack(
        [known.against(release(f"reference-{i}", some), encoder) for i, some in enumerate(outside)]
    )
    halves = [_half(pool, rng) for _ in range(splits)]
    seen = np.stack([known.against(release(f"split-{i}", some), encoder) for i, some in enumerate(halves)])
    inside = np.stack([some[known.account] for some in halves])
    return _results(known, seen, shadow.mean(axis=0), inside, rng)


def account(row: Row, ground: Ground) -> str:
    """Whose conversation a row is, as the runs of this ground take it."""
    if ground.settings.users == "conversation":
        return str(row["id"])
    found = first(row, (ground.settings.columns.get("user", ""), *USER_KEYS))
    return str(row["id"]) if found is None else f"user {found}"


def _half(among: Bools, rng: np.random.Generator) -> Bools:
    """A random half of some accounts, bool (accounts,)."""
    chosen = rng.permutation(np.flatnonzero(among))[: int(among.sum()) // 2]
    return np.isin(np.arange(len(among)), chosen)


@dataclass(frozen=True, slots=True)
class _Targets:
    """Conversations to guess about: ``account`` int64 (n,), ``vectors`` float32 (n, d) of their requests, and their rare words."""

    account: NDArray[np.int64] = field(repr=False)
    vectors: NDArray[np.float32] = field(repr=False)
    rare: Sequence[frozenset[str]] = field(repr=False)

    def against(self, insights: Insights, encoder: Embedder) -> Floats:
        """What a release shows of each target, float64 (n, features): see ``_NEAR`` and its like."""
        found = np.zeros((len(self.account), _FEATURES))
        texts = [f"{one.name}: {one.description}" if one.description else one.name for one in insights]
        if not texts:
            return found
        sizes = np.asarray([one.share for one in insights])
        deepest = np.asarray([not insights.children(one.id) for one in insights])
        published = encoder.encode(texts)
        for at in range(0, len(found), _ROWS):
            near = self.vectors[at : at + _ROWS] @ published.T
            some = found[at : at + _ROWS]
            some[:, _NEAR] = near.max(axis=1)
            some[:, _NEAR_FEW] = np.sort(near, axis=1)[:, -_NEAREST:].mean(axis=1)
            some[:, _SIZE] = sizes[np.where(deepest, near, -1.0).argmax(axis=1)]
        said = words(" ".join(texts))
        found[:, _RARE] = [len(own & said) / len(own) if own else 0.0 for own in self.rare]
        return found


def words(text: str) -> frozenset[str]:
    """The distinct content words of a text, as dictionary forms."""
    return frozenset(lemma(token) for token in tokens(text)) - ENGLISH_STOP_WORDS


def _said(row: Row) -> list[str]:
    """What the user said, turn by turn."""
    return [
        turn["content"]
        for turn in row["messages"]
        if turn["role"] == "user" and isinstance(turn["content"], str)
    ]


def _rare_words(rows: Sequence[Row]) -> Any:
    """Whether a word is rare among other people's conversations: as good a guess as an attacker has."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(words(" ".join(_said(row))))
    most = max(1.0, _RARE_SHARE * len(rows))
    return lambda word: counts[word] <= most


def _targets(
    rows: Sequence[Row],
    accounts: NDArray[np.int64],
    pool: Bools,
    wanted: int | None,
    rng: np.random.Generator,
    encoder: Embedder,
    rare: Any,
) -> _Targets:
    """The conversations of the pool that say something, of all accounts or of as many as are wanted."""
    requests = {i: extract(_said(rows[i])) for i in np.flatnonzero(pool[accounts]).tolist()}
    usable = np.asarray([i for i, text in requests.items() if text], np.int64)
    if not len(usable):
        raise SettingsError("no conversation of the log says anything that could be guessed about")
    if wanted is not None:
        order = rng.permutation(len(pool))[accounts[usable]]
        usable = np.sort(usable[np.argsort(order, kind="stable")][:wanted])
    return _Targets(
        accounts[usable],
        encoder.encode([requests[i] for i in usable.tolist()]),
        [frozenset(filter(rare, words(" ".join(_said(rows[i]))))) for i in usable.tolist()],
    )


def _results(
    known: _Targets, seen: Floats, shadow: Floats, inside: Bools, rng: np.random.Generator
) -> list[Result]:
    """All attackers' figures.

    Args:
        known: n targets.
        seen: float64 (splits, n, features), what each attacked release shows.
        shadow: float64 (n, features), what the reference releases show, averaged.
        inside: bool (splits, n), the truth.
        rng: of the bootstrap.
    """
    beyond = seen - shadow
    combined = _combined(seen, beyond, inside)
    scores = {
        "nearest text": seen[..., _NEAR],
        "nearest text against reference releases": beyond[..., _NEAR],
        "rare words in published text": beyond[..., _RARE],
        "size of the nearest cluster": beyond[..., _SIZE],
        "combination": combined,
    }
    results = [_result(case, score, inside, known.account, rng) for case, score in scores.items()]
    hard = ("nearest text against reference releases", "rare words in published text", "combination")
    strange = _strangest(known)
    few = inside[:, strange], known.account[strange]
    results += [
        _result(f"strangest {_EXTREME:.0%}: {case}", scores[case][:, strange], *few, rng) for case in hard
    ]
    sizes = np.bincount(known.account)
    held = sizes[sizes > 0]
    many = (sizes >= np.quantile(held, 1 - _EXTREME)) & (sizes > np.median(held))
    for name, chosen in (("whole accounts", sizes > 1), ("largest accounts", many)):
        whole = np.flatnonzero(chosen)
        if len(whole) < 2 * _NEIGHBOURS:
            continue
        one_each = np.asarray([np.flatnonzero(known.account == who)[0] for who in whole])
        for case in hard:
            mean = np.stack([np.bincount(known.account, score, len(sizes))[whole] for score in scores[case]])
            results.append(_result(f"{name}: {case}", mean / sizes[whole], inside[:, one_each], whole, rng))
    return results


def _combined(seen: Floats, beyond: Floats, inside: Bools) -> Floats:
    """Logistic regression on everything, float64 (splits, n): trained on all other splits, with what the targets look like in and out."""
    splits = range(len(seen))
    scores = np.empty(inside.shape)
    for s in splits:

        def features(split: int, held: int = s) -> Floats:
            kept = [i for i in splits if i not in (split, held)]
            likely = [_likelihood(seen[kept, :, f], inside[kept], seen[split, :, f]) for f in (_NEAR, _RARE)]
            return np.column_stack([seen[split], beyond[split], *likely])

        others = [i for i in splits if i != s]
        taught = np.concatenate([features(i) for i in others])
        middle, spread = taught.mean(axis=0), np.maximum(taught.std(axis=0), 1e-9)
        weights = logistic((taught - middle) / spread, np.concatenate([inside[i] for i in others]))
        scores[s] = (features(s) - middle) / spread @ weights[1:] + weights[0]
    return scores


def logistic(features: Floats, inside: Bools, penalty: float = 10.0) -> Floats:
    """Logistic regression by Newton's method: float64 (1 + f,), the intercept first.

    Args:
        features: float64 (n, f), each of about one spread.
        inside: bool (n,), what is to be told.
        penalty: half of it times the weights' squares is added to the loss; the intercept is free.
    """
    known = np.column_stack([np.ones(len(features)), features])
    fine = penalty * np.diag(np.arange(known.shape[1]) > 0)
    weights = np.zeros(known.shape[1])
    for _ in range(_STEPS):
        odds = 1 / (1 + np.exp(-np.clip(known @ weights, -30, 30)))
        slope = known.T @ (odds - inside) + fine @ weights
        bend = (known * (odds * (1 - odds))[:, None]).T @ known + fine
        step = np.linalg.solve(bend + 1e-9 * np.eye(len(bend)), slope)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def _likelihood(scores: Floats, inside: Bools, score: Floats) -> Floats:
    """How much likelier each target's score is with it in the log than without: log ratio of two normals of one spread, float64 (n,).

    Args:
        scores: float64 (splits, n), of releases of which the attacker knows who is in.
        inside: bool (splits, n).
        score: float64 (n,), of the attacked release.
    """
    held, n = inside.sum(axis=0), len(inside)
    both = (held > 0) & (held < n)
    within = np.where(inside, scores, 0.0).sum(axis=0) / np.maximum(held, 1)
    without = np.where(inside, 0.0, scores).sum(axis=0) / np.maximum(n - held, 1)
    if not both.any():
        return np.zeros(len(score))
    spread = np.where(inside, scores - within, scores - without)[:, both].std() + 1e-9
    ratio = ((score - without) ** 2 - (score - within) ** 2) / (2 * spread**2)
    return np.where(both, ratio, 0.0)


def _strangest(known: _Targets) -> NDArray[np.int64]:
    """The targets least like those of other accounts, by the mean similarity to their nearest ten."""
    near = np.empty(len(known.account))
    for at in range(0, len(near), _ROWS):
        some = known.vectors[at : at + _ROWS] @ known.vectors.T
        some[known.account[at : at + _ROWS, None] == known.account] = -1.0
        near[at : at + _ROWS] = np.sort(some, axis=1)[:, -_NEIGHBOURS:].mean(axis=1)
    return np.argsort(near, kind="stable")[: max(2 * _NEIGHBOURS, int(_EXTREME * len(near)))]


def _result(
    case: str, scores: Floats, inside: Bools, account: NDArray[np.int64], rng: np.random.Generator
) -> Result:
    """The AUC of scores, float64 (splits, n), averaged over the splits, with a bootstrap over splits and accounts."""
    who = np.unique(account, return_inverse=True)[1]
    people = int(who.max()) + 1
    value = float(
        np.mean([auc(one, truth, np.ones((1, len(who)))) for one, truth in zip(scores, inside, strict=True)])
    )
    drawn = rng.multinomial(people, np.full(people, 1 / people), _DRAWS).astype(np.float64)
    each = np.stack(
        [auc(one, truth, drawn[:, who]) for one, truth in zip(scores, inside, strict=True)], axis=1
    )
    chosen = rng.multinomial(len(scores), np.full(len(scores), 1 / len(scores)), _DRAWS)
    low, high = np.quantile((each * chosen).sum(axis=1) / len(scores), [0.025, 0.975])
    note = f"{len(scores)} splits, {people} accounts"
    return Result("membership", case, len(who) * len(scores), value, float(low), float(high), _LIMIT, note)


def auc(scores: Floats, inside: Bools, weights: Floats) -> Floats:
    """The area under the curve, ties counted half: the chance that one inside has a higher score than one outside.

    Args:
        scores: float64 (n,).
        inside: bool (n,).
        weights: float64 (draws, n), how often each counts; an AUC for each draw.

    Returns:
        float64 (draws,), 0..1; 0.5 where a draw holds nobody on one side.
    """
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    inner = np.add.reduceat(weights[:, order] * inside[order], starts, axis=1)
    outer = np.add.reduceat(weights[:, order] * ~inside[order], starts, axis=1)
    below = np.cumsum(outer, axis=1) - outer / 2
    pairs = inner.sum(axis=1) * outer.sum(axis=1)
    return np.where(pairs > 0, (inner * below).sum(axis=1) / np.maximum(pairs, 1e-300), 0.5)
