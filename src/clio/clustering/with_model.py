"""Names and a hierarchy by a chat model: describe, propose, deduplicate, assign, rename (paper, 1.7 and 1.9).

Each step takes all its clusters at once and makes its calls together. An answer that cannot be used is asked for anew; where the
model gives no usable one the step says so (None) or takes the fallback that it is given; it never stops the run for one cluster.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clio.models.protocols import Answer, ChatModel, Failure, Prompt
from clio.progress import Advance, silent
from clio.prompts import Data, Template, fill, load, repaired

if TYPE_CHECKING:
    from clio.models.answers import Again, Answers

#: a cluster as the model sees and makes it: its name and its description
Named = tuple[str, str]

SAMPLE = 50  # summaries of a cluster, and of those nearest to it, that a description is made of
_SUMMARY_CHARACTERS = 400
_NAME_CHARACTERS = 100
_DESCRIPTION_CHARACTERS = 500
PROPOSALS = 150  # names that one call of deduplicate is shown

_SPACE = re.compile(r"\s+")
_ITEM = re.compile(r"^\s*(?:\d{1,3}\s*[.):]|[-*•])\s*(.+?)\s*$", re.MULTILINE)
_TAG = re.compile(r"</?\w+>")
_SCRATCHPAD = re.compile(r"<scratchpad>.*?(?:</scratchpad>|(?=<answer>))", re.DOTALL | re.IGNORECASE)
_LABEL = re.compile(r"^(?:name|title|category|summary|description)\s*:\s*", re.IGNORECASE)


def describe(
    members: Sequence[Sequence[str]],
    contrast: Sequence[Sequence[str]],
    model: ChatModel,
    answers: Answers,
    *,
    criteria: str = "",
    seed: int = 0,
    folder: Path | None = None,
    progress: Advance = silent,
) -> list[Named | None]:
    """Name and describe n clusters, each against what lies nearest to it (paper, G.5).

    Args:
        members: n lists of the summaries in a cluster; 50 at random are shown.
        contrast: n lists of the summaries outside, the nearest first; the first 50 are shown.
        model: who answers.
        answers: where answers are kept.
        criteria: how to word a name (``Facet.criteria``).
        seed: of the samples.
        folder: prompts of one's own.
        progress: called with the number of clusters done.

    Returns:
        n pairs (name, description of at most two sentences), None where the model gave none.
    """
    template = load("describe", folder)

    def sampled(number: int) -> Sequence[str]:
        inside = members[number]
        chosen = np.random.default_rng([seed, number]).permutation(len(inside))[:SAMPLE]
        return [inside[place] for place in chosen]

    prompts = (
        describe_prompt(template, sampled(number), contrast[number], criteria)
        for number in range(len(members))
    )
    found = answers.stream(model, prompts, stage="describe", again=_again(_named, folder), progress=progress)
    return [_named(answer) for answer in found]


def describe_prompt(
    template: Template, members: Sequence[str], contrast: Sequence[str], criteria: str
) -> Prompt:
    """The prompt that describes one cluster by summaries inside it and nearest to it."""
    shown: dict[str, Data] = {
        tag: [("summary", text[:_SUMMARY_CHARACTERS]) for text in texts[:SAMPLE]]
        for tag, texts in (("members", members), ("contrast", contrast))
    }
    return fill(template, {**shown, "criteria": criteria})


def describe_terms(
    terms: Sequence[Sequence[str]],
    model: ChatModel,
    answers: Answers,
    *,
    criteria: str = "",
    folder: Path | None = None,
    progress: Advance = silent,
) -> list[Named | None]:
    """Name and describe n clusters from the terms that many of their users share; the model sees no text of a person (Urania, 2506.04681).

    Args:
        terms: n lists of terms.
        model: who answers.
        answers: where answers are kept.
        criteria: how to word a name (``Facet.criteria``).
        folder: prompts of one's own.
        progress: called with the number of clusters done.

    Returns:
        n pairs (name, description), None where the model gave none.
    """
    template = load("describe_terms", folder)
    prompts = (describe_terms_prompt(template, some, criteria) for some in terms)
    found = answers.stream(model, prompts, stage="describe", again=_again(_named, folder), progress=progress)
    return [_named(answer) for answer in found]


def describe_terms_prompt(template: Template, terms: Sequence[str], criteria: str) -> Prompt:
    """The prompt that describes one cluster by its terms, in the alphabet's order: their counts would tell of single users."""
    return fill(template, {"terms": [("term", term) for term in sorted(terms)], "criteria": criteria})


def propose(
    neighbourhoods: Sequence[Sequence[Named]],
    wanted: Sequence[int],
    model: ChatModel,
    answers: Answers,
    *,
    folder: Path | None = None,
    progress: Advance = silent,
) -> list[list[str]]:
    """Propose parents for each of n neighbourhoods of clusters (paper, G.7 step 3).

    Args:
        neighbourhoods: n lists of (name, description): the clusters of a neighbourhood and the nearest
            outside it.
        wanted: n numbers of parents to aim at; half to one and a half times as many are asked for.
        model: who answers.
        answers: where answers are kept.
        folder: prompts of one's own.
        progress: called with the number of neighbourhoods done.

    Returns:
        n lists of names, at most 1.5 times as many as wanted; empty where the model gave none.
    """
    template = load("propose", folder)
    prompts = (
        propose_prompt(template, clusters, number)
        for clusters, number in zip(neighbourhoods, wanted, strict=True)
    )
    found = answers.stream(model, prompts, stage="propose", again=_again(_list, folder), progress=progress)
    return [_list(answer)[: _most(number)] for answer, number in zip(found, wanted, strict=True)]


def propose_prompt(template: Template, clusters: Sequence[Named], wanted: int) -> Prompt:
    """The prompt that proposes parents for one neighbourhood."""
    return fill(template, {"clusters": _clusters(clusters), **_bounds(wanted)})


def deduplicate(
    names: Sequence[str],
    wanted: int,
    model: ChatModel,
    answers: Answers,
    *,
    seed: int = 0,
    folder: Path | None = None,
) -> list[str]:
    """One list of about ``wanted`` distinct names from all proposals (paper, G.7 step 4).

    More than 150 proposals are shuffled, split evenly, shortened group by group, and then again as one,
    until they fit one call or get no fewer. Where the model gives no list the proposals themselves stand,
    without repeats.

    Returns:
        At most 1.5 times ``wanted`` names, no two equal but for case; empty only if ``names`` is.
    """
    template = load("deduplicate", folder)
    left = _distinct(names)
    order = np.random.default_rng(seed)

    def ask(prompts: Iterable[Prompt]) -> list[Answer | Failure]:
        return answers.complete(model, prompts, stage="deduplicate", again=_again(_list, folder))

    while len(left) > PROPOSALS:
        count = -(-len(left) // PROPOSALS)
        shuffled = [left[place] for place in order.permutation(len(left))]
        groups = [shuffled[start::count] for start in range(count)]
        # each keeps more than its share, for the last pass merges across groups
        share = max(1, min(2 * wanted, len(left) // 2) // count)
        found = ask(deduplicate_prompt(template, group, share) for group in groups)
        fewer = _distinct(
            [name for group, answer in zip(groups, found, strict=True) for name in (_list(answer) or group)]
        )
        if len(fewer) >= len(left):
            break
        left = fewer
    if len(left) <= 1:
        return left
    (answer,) = ask([deduplicate_prompt(template, left, wanted)])
    return (_list(answer) or left)[: _most(wanted)]


def deduplicate_prompt(template: Template, names: Sequence[str], wanted: int) -> Prompt:
    """The prompt that makes one list of proposals."""
    return fill(template, {"names": [("category", name) for name in names], **_bounds(wanted)})


def assign(
    children: Sequence[Named],
    parents: Sequence[str],
    fallback: Sequence[int],
    model: ChatModel,
    answers: Answers,
    *,
    seed: int = 0,
    folder: Path | None = None,
    progress: Advance = silent,
) -> list[int]:
    """The parent of each of n children, chosen by the model from all parents in a shuffled order (paper, G.7
    step 5).

    Args:
        children: n pairs (name, description).
        parents: the names to choose from.
        fallback: n indices into ``parents`` (the nearest by embedding), taken where the answer is none of
            the parents.
        model: who answers.
        answers: where answers are kept.
        seed: of the orders.
        folder: prompts of one's own.
        progress: called with the number of children done.

    Returns:
        n indices into ``parents``.
    """
    template = load("assign", folder)
    place = {_plain(parent): number for number, parent in reversed(list(enumerate(parents)))}

    def chosen(answer: Answer) -> int | None:
        return place.get(_plain(_tagged(answer.text, "answer") or answer.text))

    def asked() -> Iterator[Prompt]:
        for number, child in enumerate(children):
            order = np.random.default_rng([seed, number]).permutation(len(parents))
            yield assign_prompt(template, child, [parents[at] for at in order])

    again = _again(lambda answer: chosen(answer) is not None, folder)
    found = answers.stream(model, asked(), stage="assign", again=again, progress=progress)
    return [
        nearest if isinstance(answer, Failure) or (choice := chosen(answer)) is None else choice
        for answer, nearest in zip(found, fallback, strict=True)
    ]


def assign_prompt(template: Template, child: Named, parents: Sequence[str]) -> Prompt:
    """The prompt that chooses a parent of one child."""
    choices: Data = [("category", parent) for parent in parents]
    return fill(template, {"parents": choices, "name": child[0], "description": child[1]})


def rename(
    children: Sequence[Sequence[Named]],
    model: ChatModel,
    answers: Answers,
    *,
    folder: Path | None = None,
    progress: Advance = silent,
) -> list[Named | None]:
    """Name and describe n parents by the children that each really has (paper, G.7 step 6).

    Args:
        children: n lists of (name, description).
        model: who answers.
        answers: where answers are kept.
        folder: prompts of one's own.
        progress: called with the number of parents done.

    Returns:
        n pairs (name, description), None where the model gave none.
    """
    template = load("rename", folder)
    prompts = (rename_prompt(template, clusters) for clusters in children)
    found = answers.stream(model, prompts, stage="rename", again=_again(_named, folder), progress=progress)
    return [_named(answer) for answer in found]


def rename_prompt(template: Template, children: Sequence[Named]) -> Prompt:
    """The prompt that names a parent by its children."""
    return fill(template, {"children": _clusters(children)})


def _again(usable: Callable[[Answer], object], folder: Path | None) -> Again:
    """Asks anew where an answer breaks off or nothing usable is found in it."""

    def again(prompt: Prompt, answer: Answer) -> Prompt | None:
        if answer.cut:
            return repaired(prompt, answer, "it breaks off before its end", folder)
        return None if usable(answer) else repaired(prompt, answer, "it does not have that form", folder)

    return again


def _clusters(clusters: Sequence[Named]) -> list[tuple[str, str]]:
    """Clusters as blocks of a prompt."""
    return [("cluster", f"{name}: {description}"[:_SUMMARY_CHARACTERS]) for name, description in clusters]


def _most(wanted: int) -> int:
    return max(1, int(1.5 * wanted))


def _bounds(wanted: int) -> dict[str, Data]:
    """The paper's bounds: at least half as many as wanted, at most one and a half times."""
    least = max(1, int(0.5 * wanted))
    return {"wanted": str(max(1, wanted)), "least": str(least), "most": str(_most(wanted))}


def _tagged(text: str, tag: str) -> str:
    """What stands in the last block of a tag, whose end may be missing; empty if there is none."""
    found = re.search(rf"^.*<{tag}>(.*?)(?:</|<\w+>|\Z)", text, re.DOTALL | re.IGNORECASE)
    return _SPACE.sub(" ", found[1]).strip() if found else ""


def _named(answer: Answer | Failure) -> Named | None:
    """Name and description of an answer; the tags may be missing where there are just two lines."""
    if isinstance(answer, Failure):
        return None
    name, description = _tagged(answer.text, "name"), _tagged(answer.text, "summary")
    if not (name and description):
        lines = [_TAG.sub("", line).strip(" *#") for line in answer.text.splitlines()]
        lines = [_LABEL.sub("", line) for line in lines if line]
        if len(lines) != 2:
            return None
        description, name = sorted(lines, key=len, reverse=True)
    name = _clean(name)
    return (name, description[:_DESCRIPTION_CHARACTERS]) if name else None


def _list(answer: Answer | Failure) -> list[str]:
    """The names of a numbered list; empty if there is none."""
    if isinstance(answer, Failure):
        return []
    text = _SCRATCHPAD.sub("", answer.text)
    text = re.split(r"<answer>", text, flags=re.IGNORECASE)[-1]
    text = re.split(r"</answer", text, flags=re.IGNORECASE)[0]
    return _distinct([_clean(item) for item in _ITEM.findall(text)])


def _clean(name: str) -> str:
    """A name without quotes, list marks, a full stop at its end, or more than 100 characters."""
    text = _LABEL.sub("", _SPACE.sub(" ", _TAG.sub("", name)).strip(" \"“”'`*"))
    return text.rstrip(" .;:").strip("\"“”'`*")[:_NAME_CHARACTERS].strip()


def _plain(name: str) -> str:
    """A name as compared: case, quotes, spaces and a list mark do not count."""
    return _clean(re.sub(r"^\s*(?:\d{1,3}\s*[.)]|[-*•])\s+", "", name)).casefold()


def _distinct(names: Sequence[str]) -> list[str]:
    """Names in their order without empty ones and repeats."""
    return list({name.casefold(): name for name in reversed(names) if name}.values())[::-1]
