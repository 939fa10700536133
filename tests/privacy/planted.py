"""Secrets of many kinds and scripts, each planted in the conversations of one user, and the search for them."""

from __future__ import annotations

import base64
import json
import random
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

_SCRIPTS = {
    "latin": "bcdfghklmnprstvwz",
    "cyrillic": "бвгдзклмнпрст",
    "greek": "βγδζκλμνπρστ",
    "arabic": "بتجدرسشصطعفقكلمن",
    "hebrew": "בגדזכלמנפרשת",
    "devanagari": "कखगचजटडतदनपबमरलस",
    "hangul": "가나다라마바사아자차카타파하",
    "han": "岚峄垚祎淼翀赟堃旻昶珺玥",
    "kana": "ヌヮヰヱヴヷヸヹヺ",
}


def secrets(count: int, seed: int = 0) -> list[str]:
    """``count`` unique made-up secrets: names in nine scripts, mails, phones, addresses, ids, keys, medical facts, small firms."""
    dice = random.Random(seed)

    def word(script: str = "latin", length: int = 8) -> str:
        letters = _SCRIPTS[script]
        if script == "latin":
            return (
                "".join(dice.choice(letters) + dice.choice("aeiou") for _ in range(length // 2)).capitalize()
                + "x"
            )
        return "".join(dice.choice(letters) for _ in range(length))

    kinds = [
        lambda: f"{word()} {word()}",
        lambda: f"{word().lower()}.{word().lower()}@{word().lower()}.example",
        lambda: f"+1 415 555 {dice.randrange(100, 200):04d} ext {dice.randrange(10**6, 10**7)}",
        lambda: f"{dice.randrange(100, 999)} {word()} Crescent",
        lambda: f"ZQ{dice.randrange(10**9, 10**10)}",
        lambda: "sk-" + "".join(dice.choices("abcdefghkmnpqrstuvwxyz23456789", k=28)),
        lambda: f"{word().lower()}oma of the left {word().lower()}",
        lambda: f"{word()} & {word()} Bakery",
        *[(lambda s: lambda: word(s, 9))(script) for script in list(_SCRIPTS)[1:]],
    ]
    found: list[str] = []
    while len(found) < count:
        secret = kinds[len(found) % len(kinds)]()
        if secret not in found:
            found.append(secret)
    return found


def plant(rows: list[dict[str, Any]], hidden: list[str], seed: int = 1) -> list[dict[str, Any]]:
    """The conversations with each secret in one to three of one user's; also in an answer, a model's name and a metadata column."""
    dice = random.Random(seed)
    by_user: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        by_user.setdefault(row["user"], []).append(i)
    users = sorted(by_user)
    planted = json.loads(json.dumps(rows))
    for n, secret in enumerate(hidden):
        own = by_user[users[n % len(users)]]
        for i in dice.sample(own, min(len(own), dice.randint(1, 3))):
            first = planted[i]["messages"][0]
            first["content"] = dice.choice(
                [
                    f"{first['content']} It is for {secret}.",
                    f"{secret}: {first['content']}",
                    f"I am {secret}. {first['content']}",
                ]
            )
            planted[i]["messages"][-1]["content"] += f" Regards, {secret}"
        planted[own[0]]["id"] += f"-{secret}"
        planted[own[0]]["note"] = secret
    return planted


def traces(secret: str) -> set[bytes]:
    """How a secret could stand somewhere: as it is, in other cases, escaped, encoded, and its longer parts."""
    forms = {secret, secret.casefold(), secret.upper()}
    parts = [
        part
        for part in secret.replace("@", " ").replace(".", " ").split()
        if len(part) >= 8 and part.casefold() not in {"crescent"}
    ]
    forms |= {form for part in parts for form in (part, part.casefold())}
    found = {form.encode() for form in forms}
    found |= {
        json.dumps(secret)[1:-1].encode(),
        urllib.parse.quote(secret).encode(),
        base64.b64encode(secret.encode()).rstrip(b"=")[:-1],
    }
    return {form for form in found if len(form) >= 6}


def published_bytes(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file's path and bytes; of Parquet files, which are compressed, also every value and the metadata."""
    for path in sorted(folder.rglob("*")):
        yield f"name of {path.name}", str(path.relative_to(folder)).encode()
        if path.is_file():
            yield path.name, path.read_bytes()
            if path.suffix == ".parquet":
                table = pq.read_table(path)
                yield (
                    f"values of {path.name}",
                    json.dumps(table.to_pylist(), ensure_ascii=False, default=str).encode(),
                )
                yield f"schema of {path.name}", str(table.schema.metadata).encode()


def search(places: Iterator[tuple[str, bytes]], hidden: list[str]) -> list[tuple[str, int]]:
    """Where secrets turned up: (place, number of the secret)."""
    needles = [(n, form) for n, secret in enumerate(hidden) for form in traces(secret)]
    found = []
    for place, content in places:
        folded = content.decode("utf-8", "replace").casefold().encode()
        found += [(place, n) for n, form in needles if form in content or form in folded]
    return found
