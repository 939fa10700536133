"""Recall and precision of the recognizers of identifiers on labelled spans, with Wilson's 95 % intervals, and what it costs.

    python benchmarks/pii.py SPANS.jsonl.gz … [--clean CLEAN.jsonl.gz …] [--names] [--limit N]

Each record holds messages and ``metadata.spans`` with start, end and type; types of several data sets are read as one (PER is PERSON).
A labelled span is *exact* if a span of a fitting kind with the same ends was found, *whole* if all of it would be masked, *touched* if part
of it would be. A found span is *exact* likewise, *right* if it overlaps a labelled span of a fitting kind, *some* if it overlaps any.
Parts of one address that are labelled one behind the other count as one. With ``--clean`` the share of texts without identifiers in which
something is masked; with ``--names`` the model of ``clio.privacy.names`` is asked too; ``--limit`` takes the first N texts of a language.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from clio.insights.intervals import share_interval
from clio.privacy import pii

#: what the kinds found are called in the labels; a kind not named here is found by nothing
FITS = {
    "EMAIL_ADDRESS": {"email"},
    "CREDIT_CARD": {"card"},
    "PHONE_NUMBER": {"phone"},
    "IBAN_CODE": {"iban"},
    "US_SSN": {"id"},
    "US_DRIVER_LICENSE": {"id"},
    "IP_ADDRESS": {"ip"},
    "DOMAIN_NAME": {"link"},
    "ZIP_CODE": {"postcode", "address"},
    "STREET_ADDRESS": {"address", "postcode"},
    "PERSON": {"name"},
    "GPE": {"place", "address"},
    "DATE_TIME": {"birth"},
}
SAME = {"PER": "PERSON", "LOC": "GPE", "ORG": "ORGANIZATION"}
_BETWEEN = re.compile(r"[\s,>?]*")


class Text(NamedTuple):
    """A text, its language, and its labelled spans as (start, end, kind)."""

    text: str
    language: str
    spans: list[tuple[int, int, str]]


def read(path: str, limit: int | None) -> Iterator[Text]:
    """The texts of a gzipped JSONL file, at most ``limit`` of each language."""
    seen: Counter[str] = Counter()
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for record in map(json.loads, file):
            text, language = record["messages"][0]["content"], record["language"] or "?"
            seen[language] += 1
            if limit is None or seen[language] <= limit:
                yield Text(text, language, joined(text, (record["metadata"] or {}).get("spans", [])))


def joined(text: str, spans: Iterable[dict[str, Any]]) -> list[tuple[int, int, str]]:
    """Labelled spans in order, parts of one address that stand one behind the other as one."""
    kept: list[tuple[int, int, str]] = []
    for span in sorted(spans, key=lambda s: (s["start"], s["end"])):
        start, end, kind = span["start"], span["end"], SAME.get(span["type"], span["type"])
        if kept and kind == kept[-1][2] == "STREET_ADDRESS" and _BETWEEN.fullmatch(text, kept[-1][1], start):
            start = kept.pop()[0]
        kept.append((start, end, kind))
    return kept


def share(hits: int, of: int) -> str:
    """A share with its interval."""
    if not of:
        return f"{'':<17}"
    low, high = share_interval(hits, of)
    return f"{hits / of:.2f} [{low:.2f}, {high:.2f}]"


def search(texts: list[str], with_names: bool) -> tuple[list[list[pii.Span]], float]:
    """What would be masked in each text, and the seconds of CPU it took for one."""
    start = time.process_time()
    found = [pii.find(text, known_names=True) for text in texts]
    if with_names:
        from clio.privacy import names

        found = [pii.merged([*own, *more]) for own, more in zip(found, names.find(texts), strict=True)]
    return found, (time.process_time() - start) / max(len(texts), 1)


def report(texts: list[Text], found: list[list[pii.Span]]) -> None:
    """Print recall by labelled kind and precision by found kind."""
    asked: dict[str, Counter[str]] = defaultdict(Counter)
    given: dict[str, Counter[str]] = defaultdict(Counter)
    for text, spans in zip(texts, found, strict=True):
        for start, end, kind in text.spans:
            fits = FITS.get(kind, set())
            asked[kind].update(
                all=1,
                exact=any((s.start, s.end) == (start, end) and s.kind in fits for s in spans),
                whole=any(s.start <= start and end <= s.end for s in spans),
                touched=any(s.start < end and start < s.end for s in spans),
            )
        for s in spans:
            near = [(a, b, k) for a, b, k in text.spans if s.start < b and a < s.end]
            given[s.kind].update(
                all=1,
                exact=any((a, b) == (s.start, s.end) and s.kind in FITS.get(k, ()) for a, b, k in near),
                right=any(s.kind in FITS.get(k, ()) for _, _, k in near),
                some=bool(near),
            )
    for title, table, columns in (
        ("recall", asked, ("exact", "whole", "touched")),
        ("precision", given, ("exact", "right", "some")),
    ):
        print(f"  {title:<20} {'spans':>6}  " + "  ".join(f"{column:<17}" for column in columns))
        for kind, counts in sorted(table.items(), key=lambda item: -item[1]["all"]):
            shares = "  ".join(share(counts[column], counts["all"]) for column in columns)
            print(f"  {kind:<20} {counts['all']:>6}  {shares}")


def main() -> None:
    """Read the arguments, search and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("spans", nargs="*")
    parser.add_argument("--clean", nargs="*", default=[])
    parser.add_argument("--names", action="store_true")
    parser.add_argument("--limit", type=int)
    given = parser.parse_args()
    search(["warm up 12 names@example.org, call 030 12345678"], given.names)
    for path in given.spans:
        texts = list(read(path, given.limit))
        found, seconds = search([text.text for text in texts], given.names)
        print(f"{path.rsplit('/', 1)[-1]}: {len(texts)} texts, {1e6 * seconds:.0f} µs a text")
        report(texts, found)
        languages = sorted({text.language for text in texts})
        for language in languages if len(languages) > 1 else []:
            own = [i for i, text in enumerate(texts) if text.language == language]
            counts: Counter[str] = Counter()
            for i in own:
                people = [(a, b) for a, b, kind in texts[i].spans if kind == "PERSON"]
                names = [(s.start, s.end) for s in found[i] if s.kind == "name"]
                counts.update(
                    people=len(people),
                    names=len(names),
                    exact=len(set(people) & set(names)),
                    touched=sum(any(s.start < b and a < s.end for s in found[i]) for a, b in people),
                    right=sum(any(start < b and a < end for a, b in people) for start, end in names),
                )
            print(
                f"  {language}: {counts['people']} people, recall exact {share(counts['exact'], counts['people'])}"
                f" touched {share(counts['touched'], counts['people'])}; {counts['names']} found,"
                f" precision exact {share(counts['exact'], counts['names'])} right {share(counts['right'], counts['names'])}"
            )
    for path in given.clean:
        clean = [text.text for text in read(path, None)]
        found, seconds = search(clean, given.names)
        masked, kinds = sum(map(bool, found)), Counter(span.kind for spans in found for span in spans)
        print(
            f"{path.rsplit('/', 1)[-1]}: {masked} of {len(clean)} texts masked ({masked / len(clean):.2%}), {1e6 * seconds:.0f} µs a text:"
            f" {', '.join(f'{count} {kind}' for kind, count in kinds.most_common())}"
        )


if __name__ == "__main__":
    main()
