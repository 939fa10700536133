"""Recall of the identifier recognizers on labelled spans: python benchmarks/pii.py LABELLED.jsonl.gz [CLEAN.jsonl.gz]

Each record holds messages and ``metadata.spans`` with start, end, type. A span counts as found if a recognizer overlaps it. With a
second file, of requests without identifiers, the share of texts in which something is masked is printed too.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from clio.privacy.pii import find


def records(path: str) -> Iterator[dict[str, Any]]:
    """The records of a gzipped JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def main() -> None:
    """Print recall by kind, and the cost of a text."""
    asked: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    start, texts = time.process_time(), 0
    for record in records(sys.argv[1]):
        text = record["messages"][0]["content"]
        found = find(text)
        texts += 1
        for span in record["metadata"]["spans"]:
            asked[span["type"]] += 1
            hit[span["type"]] += any(f.start < span["end"] and f.end > span["start"] for f in found)
    for kind, count in asked.most_common():
        print(f"{kind:<20} {hit[kind]:>5} of {count:>5}  {hit[kind] / count:.2f}")
    print(f"{1e6 * (time.process_time() - start) / texts:.0f} µs a text")
    if len(sys.argv) > 2:
        clean = [record["messages"][0]["content"] for record in records(sys.argv[2])]
        start = time.process_time()
        masked = sum(bool(find(text)) for text in clean)
        print(
            f"{masked} of {len(clean)} clean texts masked, {1e6 * (time.process_time() - start) / len(clean):.0f} µs a text"
        )


if __name__ == "__main__":
    main()
