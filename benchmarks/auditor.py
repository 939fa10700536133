"""How well the auditor tells private texts from others: python benchmarks/auditor.py INTENTS.jsonl.gz... [--spans FILE] [--names FILE]

The labels of the given files (CLINC150 and HWU64) name the harmless texts of the labelled set (``clio.evaluation.calibration``). Printed
are, for the rules, both halves of the set and its test half in lower case, as texts of runs without a model are; then recall by kind. With
``--spans`` (records with ``metadata.spans``) the private details of the test half are taken from there, so that nobody who wrote the rules
wrote them; with ``--names`` the labels of another log are rated, all held to be harmless. With ``--model`` a chat model rates ``--limit``
texts of the test half, as many private as harmless.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from clio.evaluation.calibration import Calibration, Labelled, audit_set, score
from clio.models import chat_model
from clio.models.answers import Answers
from clio.privacy.auditor import audit, judge

#: kinds of the audit set for the types of labelled spans
KINDS = {
    "PERSON": "name",
    "STREET_ADDRESS": "address",
    "PHONE_NUMBER": "contact",
    "EMAIL_ADDRESS": "contact",
    "CREDIT_CARD": "number",
    "IBAN_CODE": "number",
    "US_SSN": "number",
    "US_DRIVER_LICENSE": "number",
    "DOMAIN_NAME": "site",
}
NO_INTENT = {"oos"}


def records(path: str) -> Iterator[dict[str, Any]]:
    """The records of a gzipped JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def details(path: str) -> dict[str, list[str]]:
    """By kind, the distinct spans of a file with labelled spans, each on one line; no single names and no bare numbers of houses."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for record in records(path):
        for span in record["metadata"]["spans"]:
            text = " ".join(span["value"].split())
            alone = span["type"] in {"PERSON", "STREET_ADDRESS"} and " " not in text
            if span["type"] in KINDS and not alone:
                found[KINDS[span["type"]]][text] = None
    return {kind: list(values) for kind, values in found.items()}


def balanced(labelled: Sequence[Labelled], limit: int, seed: int) -> list[Labelled]:
    """Private and harmless texts in turn, the private ones of all kinds in turn; a smaller limit is the beginning of a larger one."""
    dice = random.Random(seed)
    harmless = [one for one in labelled if not one.private]
    by_kind: dict[str, list[Labelled]] = defaultdict(list)
    for one in labelled:
        if one.private:
            by_kind[one.kind].append(one)
    for texts in (harmless, *by_kind.values()):
        dice.shuffle(texts)
    turns = [texts[turn] for turn in range(limit) for texts in by_kind.values() if turn < len(texts)]
    return [one for pair in zip(turns, harmless, strict=False) for one in pair][:limit]


def line(title: str, found: Calibration) -> str:
    shares = (found.accuracy, found.recall, found.precision, found.false_alarms)
    counts = f"{found.recall.of} + {found.false_alarms.of}"
    return f"| {title} | {counts} | " + " | ".join(map(str, shares)) + " |"


def rated(labelled: Sequence[Labelled]) -> Calibration:
    return score(labelled, [rating.score for rating in audit([one.text for one in labelled])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("intents", nargs="+", help="gzipped JSONL files with a label each record")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--spans", help="file with labelled spans of identifiers")
    parser.add_argument("--names", help="file whose labels are names of harmless groups")
    parser.add_argument("--model", help="kind:NAME[@URL] of a chat model")
    parser.add_argument("--limit", type=int, default=60, help="texts that the chat model rates")
    parser.add_argument(
        "--answers", type=Path, help="file that keeps the model's answers, to go on with later"
    )
    parser.add_argument("--show-dev", action="store_true", help="print the errors of the dev half")
    asked = parser.parse_args()

    names = sorted({record["label"] for path in asked.intents for record in records(path)} - NO_INTENT)
    labelled = audit_set(names, asked.seed)
    dev, test = ([one for one in labelled if one.half == half] for half in ("dev", "test"))
    lower = [replace(one, text=one.text.lower()) for one in test]
    print("| set | private + harmless | accuracy | recall of private | precision | false alarms |")
    print("|---|---|---|---|---|---|")
    print(line("dev, rules", rated(dev)))
    print(line("test, rules", rated(test)))
    print(line("test in lower case, rules", rated(lower)))
    if asked.spans:
        borrowed = audit_set(names, asked.seed, each=100, details=details(asked.spans))
        foreign = [one for one in borrowed if one.half == "test"]
        print(line("test with details of another source, rules", rated(foreign)))
    if asked.names:
        labels = sorted({record["label"] for record in records(asked.names)})
        texts = [f"{label}: Users asked the assistant about this." for label in labels]
        held = rated([Labelled(text, False, "label", "test") for text in texts])
        print(line("labels of another log, rules", held))
    columns = {"rules": rated(test), "lower case": rated(lower)}
    if asked.spans:
        columns["another source"] = rated(foreign)
    if asked.model:
        sample = balanced(test, asked.limit, asked.seed)
        start = time.monotonic()
        with Answers(asked.answers, concurrency=1) as answers:
            ratings = judge([one.text for one in sample], chat_model(asked.model, timeout=600), answers)
        seconds = time.monotonic() - start
        unread = sum(rating.reason == "no readable rating" for rating in ratings)
        both = [
            min(a.score, b.score) for a, b in zip(ratings, audit([one.text for one in sample]), strict=True)
        ]
        columns["model"] = score(sample, [rating.score for rating in ratings])
        print(line("sample of test, model alone", columns["model"]))
        print(line("sample of test, rules alone", rated(sample)))
        print(line("sample of test, model and rules", score(sample, both)))
        print(f"\n{len(sample)} texts in {seconds:.0f} s, {unread} without a readable rating")
    print("\n| held back of | " + " | ".join(columns) + " |")
    print("|---|" + "---|" * len(columns))
    for kind in columns["rules"].by_kind:
        cells = [column.by_kind.get(kind) for column in columns.values()]
        print(f"| {kind} | " + " | ".join(f"{c.hits} of {c.of}" if c else "" for c in cells) + " |")
    if asked.show_dev:
        for one, rating in zip(dev, audit([one.text for one in dev]), strict=True):
            if (rating.score < 3) != one.private:
                print(f"{one.kind} {rating.score} {rating.reason}: {one.text}", file=sys.stderr)


if __name__ == "__main__":
    main()
