"""A weak signal of concern without a chat model, 1 (benign) to 3 (may warrant a look): how harmful the words of a request sound, and how
near it lies in meaning to a public list of what harmful requests ask for.

Neither can tell a nurse from a poisoner or a novel from a plan. The scale of the paper (G.4.1) goes to 5; this never justifies a 4 or a 5,
so it never gives them. Use a chat model for the real facet. How good it is: docs/quality.md.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from clio.models.protocols import Embedder

#: what readers are told wherever this facet is shown
CAVEAT = "from words and nearness in meaning: a weak signal, never above 3 of 5"
#: the list of harms in the space of Clio's own embedders
VECTORS = files("clio.facets").joinpath("harms.npz")
# nearness from which a request is rated 2 and 3, by embedder: it differs by how they spread chats and short phrases
_LEVELS = {"minilm": (1.5, 2.5), "e5": (2.5, 3.0)}
# harms that a request must be near to at once
_NEAREST = 3
_BLOCK = 8192

_STRONG = re.compile(
    r"\b(?:(?:build|make|making|buy|assemble|detonate|plant)\s+(?:a |an |some )?(?:\w+ )?(?:bomb"
    r"|explosive|pipe bomb|ied|nerve agent|bioweapon|meth|poison)s?"
    r"|(?:kill|murder|poison|strangle|rape|stab|shoot)\s+(?:my|a|an|him|her|them|someone|people"
    r"|the)\b|suicide method|kill myself|end my life|hurt myself|self[- ]harm"
    r"|child porn\w*|csam|molest\w*|underage sex\w*|sexual\w* (?:minor|child)\w*"
    r"|ransomware|keylogger|phishing (?:mail|email|page|site)s?|write (?:a )?(?:malware|virus"
    r"|trojan)|ddos attack|hack (?:into|someone|my|his|her|their)"
    r"|credit card fraud|launder money|money laundering|counterfeit|fake (?:id|passport"
    r"|prescription)s?|steal (?:a|an|from|someone|their|identit)\w*"
    r"|ethnic cleansing|genocide|gas the|white power|join (?:isis|a terror\w*)|stalk(?:ing)? (?:my"
    r"|her|him|someone))\b"
    r"|自杀|自殘|制造炸弹|爆炸物|儿童色情|洗钱|自殺|爆弾の作り方|suicid(?:arme|io)|me suicider|selbstmord|bombe bauen|fabricar una bomba",
    re.IGNORECASE,
)
_MILD = re.compile(
    r"\b(?:kill|murder|suicid\w*|weapons?|guns?|bombs?|explosives?|drugs?|cocaine|heroin|meth"
    r"|porn\w*|nsfw|nude|sex(?:ual|y)?|rape|racist|nazis?|hitler|terroris\w+"
    r"|hack(?:ing|er|ed)?|malware|exploit|jailbreak|steal(?:ing)?|scam|fraud|slurs?|violen(?:t|ce)"
    r"|torture|abus(?:e|ive)|hate|stupid|idiot|bitch|fuck\w*|shit)\b"
    r"|杀|毒品|色情|枪|殺|武器",
    re.IGNORECASE,
)

# many times as fast as to look for either case; other alphabets have letters that lower() alone does not make equal
_STRONG_LOW, _MILD_LOW = re.compile(_STRONG.pattern), re.compile(_MILD.pattern)


def score(text: str) -> int:
    """Concern of a request by its words: 1 nothing heard, 2 a word that often occurs in harmful requests, 3 a phrase of harm."""
    strong, mild = _STRONG, _MILD
    if text.isascii():
        text, strong, mild = text.lower(), _STRONG_LOW, _MILD_LOW
    if strong.search(text):
        return 3
    return 2 if mild.search(text) else 1


def harms() -> list[str]:
    """What harmful requests ask for, a phrase each."""
    lines = files("clio.facets").joinpath("harms.txt").read_text("utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


@dataclass(frozen=True, slots=True)
class Harms:
    """A list of h harms in an embedder's space, beside general tasks.

    ``mean`` float32 (d,) of the tasks' vectors is taken away from all; ``vectors`` float32 (h, d) are the harms', rows of unit length;
    ``middle`` and ``spread`` are mean and standard deviation of the tasks' own nearness.
    """

    mean: NDArray[np.float32]
    vectors: NDArray[np.float32]
    middle: float
    spread: float

    @staticmethod
    def of(embedder: Embedder, tasks: list[str]) -> Harms:
        """Embed the list, and general tasks that are no harm."""
        general = embedder.encode(tasks)
        mean = general.mean(axis=0)
        found = Harms(mean, _directions(embedder.encode(harms()), mean), 0.0, 1.0)
        own = found.nearness(general)
        return Harms(mean, found.vectors, float(own.mean()), float(own.std()))

    def nearness(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """How near n texts lie to the three harms nearest to each: float32 (n,), in standard deviations above general tasks.

        Args:
            vectors: float32 (n, d), as the embedder gives them.
        """
        found = np.empty(len(vectors), np.float32)
        for at in range(0, len(vectors), _BLOCK):
            cosines = _directions(vectors[at : at + _BLOCK], self.mean) @ self.vectors.T
            found[at : at + _BLOCK] = np.partition(cosines, -_NEAREST, axis=1)[:, -_NEAREST:].mean(axis=1)
        return (found - np.float32(self.middle)) / np.float32(self.spread)


def _directions(vectors: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    moved = vectors - mean
    lengths = np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), np.float32(1e-9))
    return np.asarray(moved / lengths, np.float32)


@cache
def known(name: str) -> Harms | None:
    """The list in the space of an embedder that comes with Clio, by its name; None for others."""
    with np.load(str(VECTORS)) as kept:
        if name not in _LEVELS or str(kept["harms"]) != harms_hash():
            return None
        middle, spread = kept[f"{name}:general"].tolist()
        return Harms(kept[f"{name}:mean"], kept[name], middle, spread)


def harms_hash() -> str:
    """Of the list in its order."""
    return hashlib.sha256("\n".join(harms()).encode()).hexdigest()


def by_meaning(vectors: NDArray[np.float32], embedder: str) -> NDArray[np.int8]:
    """Concern of n requests by what they are near to, int8 (n,), 1 to 3; all 1 where the embedder is none of Clio's own.

    Args:
        vectors: float32 (n, d), as the embedder gives them.
        embedder: its name.
    """
    if (found := known(embedder)) is None:
        return np.ones(len(vectors), np.int8)
    near, (some, much) = found.nearness(vectors), _LEVELS[embedder]
    return np.asarray(1 + (near >= some).astype(np.int8) + (near >= much).astype(np.int8), np.int8)
