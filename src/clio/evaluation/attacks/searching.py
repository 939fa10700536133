"""The search for secrets in bytes: thousands of them, each in some twenty forms, in one pass over what is searched.

Two indices. Of *forms*: a secret's text and cores as bytes, in UTF-16, in base64 (at each of three places in a group of bytes), its
URL-safe variant, and hexadecimal. Of *pieces*: every run of at least ten bytes and four characters of a core, also backwards and in ROT13;
they are sought in the *squeezed* text, that is NFKC, case-folded, digits of any script as 0-9, without marks, spaces and punctuation,
and in the same once JSON escapes, HTML entities and URL escapes are resolved. So near copies are found: a secret that was changed in
one place still holds a piece. Forms of fewer than eight bytes are not sought: they are met by chance.

Eight bytes at each place of what is searched are looked up at once, as integers, in a table of hashes; the few that pass are compared.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import unicodedata
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

#: least bytes and characters of a piece: a shorter one is met by chance
PIECE, CHARACTERS = 10, 4
_KEY = 8  # bytes that are looked up at once, and so the shortest form
_BITS = 22
_MIX = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing (Knuth, TAOCP 3, 6.4)

_DROPPED = re.compile(r"[\W_]+")
_DIGIT = re.compile(r"[^\W\D0-9]")
_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2}))")
_ENTITY = re.compile(r"&(?:#\d|#[xX][0-9a-fA-F]|[a-zA-Z]{2,10};)")
_PERCENT = re.compile(r"%[0-9a-fA-F]{2}")
_ROT13 = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")


class Sought(Protocol):
    """What is sought: a text, and the parts of it that nobody else would write."""

    @property
    def text(self) -> str: ...  # noqa: D102

    @property
    def cores(self) -> tuple[str, ...]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a secret turned up: the place, the secret's number, and in which form."""

    place: str
    secret: int
    form: str


def squeezed(text: str) -> str:
    """A text as copies of it are compared: NFKC, case-folded, without marks, spaces and punctuation, digits as 0-9."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    text = _DROPPED.sub("", text).casefold()
    if text.isascii():
        return text
    text = _DIGIT.sub(lambda found: str(unicodedata.decimal(found[0])), text)
    return unicodedata.normalize("NFKC", text)


def search(places: Iterable[tuple[str, bytes]], secrets: Sequence[Sought]) -> list[Hit]:
    """Where secrets turn up, each once a place and form.

    Args:
        places: name and bytes of each place; see ``published`` for files.
        secrets: what is sought.
    """
    forms, pieces = _indices(tuple(secrets))
    found: dict[Hit, None] = {}
    for place, content in places:
        texts = [squeezed(text) for text in _texts(content)]
        for index, views in ((forms, [content]), (pieces, [text.encode() for text in texts])):
            for view in views:
                found |= dict.fromkeys(Hit(place, secret, form) for secret, form in _hits(view, index))
    return list(found)


def published(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of every file of a folder, and what is inside of those that are compressed (Parquet, gzip)."""
    for path in sorted(folder.rglob("*")):
        yield f"name of {path.name}", str(path.relative_to(folder)).encode()
        if path.is_file():
            content = path.read_bytes()
            yield path.name, content
            yield from _inside(path.name, content)


def _inside(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """What a compressed file holds."""
    if content.startswith(b"\x1f\x8b"):
        try:
            yield f"inside of {name}", gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            return
    if content.startswith(b"PAR1"):
        file = pq.ParquetFile(pa.BufferReader(content))
        values = json.dumps(file.read().to_pylist(), ensure_ascii=False, default=str)
        yield f"values of {name}", values.encode()
        told = {**(file.metadata.metadata or {}), **(file.schema_arrow.metadata or {})}
        yield f"metadata of {name}", b"\n".join(part for pair in told.items() for part in pair)


# what is sought


@dataclass(frozen=True, slots=True)
class _Index:
    """Forms by their first eight bytes: sorted ``keys`` (uint64), the ``forms`` in their order, and the ``table`` of the keys' hashes."""

    keys: NDArray[np.uint64] = field(repr=False)
    forms: list[tuple[bytes, int, str]] = field(repr=False)
    table: NDArray[np.bool_] = field(repr=False)


@lru_cache(maxsize=2)
def _indices(secrets: tuple[Sought, ...]) -> tuple[_Index, _Index]:
    """The index of forms and the index of pieces."""
    forms, pieces = [], []
    for number, secret in enumerate(secrets):
        forms += [(form, number, name) for name, form in forms_of(secret)]
        for core in secret.cores:
            plain = squeezed(core)
            ways = {plain: "text"}
            # letters with marks are not rotated, unless they lost them before
            for way in (plain.translate(_ROT13), squeezed(core.casefold().translate(_ROT13))):
                ways.setdefault(way, "rot13")
            ways.setdefault(plain[::-1], "reversed")
            pieces += [(piece, number, name) for way, name in ways.items() for piece in pieces_of(way)]
    return _index(forms), _index(pieces)


def forms_of(secret: Sought) -> Iterator[tuple[str, bytes]]:
    """The bytes that a secret may stand in somewhere, by name; those shorter than eight are left out."""
    texts = dict.fromkeys(form for text in (secret.text, *secret.cores) for form in (text, text.casefold()))
    texts |= dict.fromkeys((secret.text.upper(), unicodedata.normalize("NFD", secret.text)))
    found: dict[bytes, str] = {}
    for text in texts:
        plain = text.encode()
        told = [("as it is", plain), ("hex", plain.hex().encode()), ("hex", plain.hex().upper().encode())]
        told += [("utf-16", text.encode("utf-16-le")), ("utf-16", text.encode("utf-16-be"))]
        for shift in range(3):
            standard = _base64(plain, shift)
            told += [("base64", standard), ("base64url", standard.translate(bytes.maketrans(b"+/", b"-_")))]
        for name, form in told:
            if len(form) >= _KEY:
                found.setdefault(form, name)
    yield from ((name, form) for form, name in found.items())


def _base64(content: bytes, shift: int) -> bytes:
    """The characters of base64 that depend on the content alone, where ``shift`` bytes of something else stand before it in its group."""
    coded = base64.b64encode(bytes(shift) + content)
    return coded[(0, 2, 3)[shift] : 8 * (shift + len(content)) // 6]


def pieces_of(text: str) -> Iterator[bytes]:
    """Every shortest run of whole characters that has at least ten bytes and four characters."""
    sizes = [len(c.encode()) for c in text]
    for start in range(len(text)):
        end = start + CHARACTERS
        while end < len(text) and sum(sizes[start:end]) < PIECE:
            end += 1
        piece = text[start:end].encode()
        if end > len(text) or len(piece) < PIECE:
            return
        yield piece


def _index(forms: list[tuple[bytes, int, str]]) -> _Index:
    keys = np.array([int.from_bytes(form[:_KEY], "little") for form, _, _ in forms], np.uint64)
    order = np.argsort(keys, kind="stable")
    table = np.zeros(1 << _BITS, bool)
    table[_slots(keys)] = True
    return _Index(keys[order], [forms[i] for i in order.tolist()], table)


def _slots(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return (keys * _MIX) >> np.uint64(64 - _BITS)


# what is searched


def _texts(content: bytes) -> list[str]:
    """A content as text, and once more for each kind of escape that it holds, resolved."""
    text = content.decode("utf-8", "replace")
    found = [text]
    for has, resolved in ((_ESCAPE, _unescaped), (_ENTITY, html.unescape), (_PERCENT, urllib.parse.unquote)):
        plain = text
        for _ in range(2):  # once more for what was escaped twice
            if has.search(plain):
                plain = resolved(plain)
        if plain is not text:
            found.append(plain)
    return found


def _unescaped(text: str) -> str:
    r"""A text with \uXXXX, \u{XXXXX} and \xXX resolved, surrogate pairs too."""

    def character(found: re.Match[str]) -> str:
        number = int(found[1] or found[2] or found[3], 16)
        return chr(number) if number < 0x110000 else found[0]

    text = _ESCAPE.sub(character, text)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _hits(content: bytes, index: _Index) -> Iterator[tuple[int, str]]:
    """Secret and form of all that is found, repeats included."""
    for start in range(min(_KEY, max(0, len(content) - _KEY + 1))):
        windows = np.frombuffer(content, "<u8", (len(content) - start) // _KEY, start)
        passed = np.flatnonzero(index.table[_slots(windows)])
        first = np.searchsorted(index.keys, windows[passed], "left")
        last = np.searchsorted(index.keys, windows[passed], "right")
        for at, low, high in zip(passed.tolist(), first.tolist(), last.tolist(), strict=True):
            for form, secret, name in index.forms[low:high]:
                if content.startswith(form, start + _KEY * at):
                    yield secret, name
