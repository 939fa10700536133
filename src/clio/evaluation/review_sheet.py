"""A review on disk: the sheet as a page and as a table for spreadsheets, the key beside the run, and what raters have filled in."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from clio import encryption
from clio.errors import RunError
from clio.evaluation.review import LETTERS, RATINGS, Sheet, allowed
from clio.insights.text import inert
from clio.run_folder import RunFolder

#: what is asked of each kind of item
QUESTIONS = {
    "summary": "Does the request say what the conversation asks for?",
    "members": "Which one does not belong with the others?",
    "name": "Do this name and description fit these requests?",
}
_ENDS = "1 not at all, 5 fully"
_COLUMNS = ("item", "answer", "question", "title", "detail")
_KEY = "review.key.json"
# the template's own style and script
_SLOTS = re.compile(r"<(style|script)>(.*?)</\1>", re.DOTALL)
_BOM = "\ufeff"  # without it a spreadsheet takes UTF-8 for something else


def place(folder: RunFolder) -> Path:
    """Where a run's sheets and its key are: in its private zone."""
    return folder.private / "review"


def write(sheet: Sheet, folder: RunFolder, out: Path | None = None) -> list[Path]:
    """Write ``review.html`` and ``review.csv`` to a folder, and the key to the run's private zone.

    A file that is there and differs is left alone, for it may be filled in.

    Args:
        sheet: to be written.
        folder: of the run.
        out: made if it is missing; None is ``place(folder)``.

    Returns:
        The two files and the key, each its owner's only.

    Raises:
        RunError: the place is one where the sheet may not be, holds another sheet, or cannot be written.
    """
    out = place(folder) if out is None else out
    _refuse(folder, out)
    contents = {"review.html": page(sheet).encode(), "review.csv": table(sheet).encode()}
    paths = [out / name for name in contents]
    try:
        with folder.lock():
            for path, content in zip(paths, contents.values(), strict=True):
                if path.exists() and path.read_bytes() != content:
                    raise RunError(
                        f"{path}: is there and differs; it may be filled in, so move it or choose another --out"
                    )
            # the key first: a sheet without one is of no use
            keys = {**_keys(folder), sheet.id: sheet.key}
            key = json.dumps({"version": 1, "sheets": keys}, indent=1).encode()
            sealed = folder.cipher.seal(key, _KEY.encode()) if folder.cipher else key
            folder.write_bytes(place(folder) / _KEY, sealed)
            for path, content in zip(paths, contents.values(), strict=True):
                folder.write_bytes(path, content)
    except OSError as error:
        raise RunError(f"{out}: cannot be written ({error.strerror}); choose another --out") from None
    return [*paths, place(folder) / _KEY]


def _refuse(folder: RunFolder, out: Path) -> None:
    """Raise where a sheet, which is plain text of people, may not be."""
    where = out.resolve()
    if folder.insights.resolve() in (where, *where.parents):
        raise RunError(f"{out}: is what others are shown of the run, and a sheet holds people's text")
    if any((parent / encryption.HEADER).is_file() for parent in (where, *where.parents)):
        raise RunError(
            f"{out}: is encrypted, and a sheet that people can open is not; say where it may be with --out"
        )


def _keys(folder: RunFolder) -> dict[str, Any]:
    """The keys of all sheets of a run, by sheet."""
    path = place(folder) / _KEY
    try:
        content = path.read_bytes()
        found = json.loads(folder.cipher.unseal(content, _KEY.encode()) if folder.cipher else content)
        return dict(found["sheets"])
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError):
        raise RunError(f"{path}: cannot be read; delete it, and make the sheet again") from None


# the sheet


def page(sheet: Sheet) -> str:
    """The sheet as one HTML document. Its policy allows its own script and styles by their hashes, and no connection at all."""
    template = files("clio.evaluation").joinpath("review.html").read_text("utf-8")
    static = files("clio.explorer").joinpath("static")
    # the explorer's look, and what only a sheet has
    styles = static.joinpath("app.css").read_text("utf-8") + _part(template, "style")
    script = _part(template, "script")
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(styles)}'; img-src data:; "
        "connect-src 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    document = {
        "sheet": sheet.id,
        "questions": QUESTIONS,
        "letters": LETTERS,
        "ratings": RATINGS,
        "items": [asdict(item) for item in sheet.items],
    }
    # inside of a script only "<" could end or open anything
    data = json.dumps(document, ensure_ascii=False).replace("<", "\\u003c")
    parts = {
        "policy": policy,
        "icon": base64.b64encode(static.joinpath("icon.svg").read_bytes()).decode(),
        "style": styles,
        "script": script,
        "data": data,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _SLOTS.sub(r"<\1>{{\1}}</\1>", template))


def _part(template: str, tag: str) -> str:
    """What a template holds between such tags."""
    return next(found[2] for found in _SLOTS.finditer(template) if found[1] == tag)


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"


def table(sheet: Sheet) -> str:
    """The sheet as CSV: a row an item, to be filled in at ``answer``; no cell starts a formula."""
    most = max(len(item.texts) for item in sheet.items)
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow([*_COLUMNS, *LETTERS[:most], "sheet"])
    for item in sheet.items:
        letters = f"{LETTERS[0]}–{LETTERS[len(item.texts) - 1]}"
        question = f"{QUESTIONS[item.kind]} ({letters if item.kind == 'members' else _ENDS})"
        texts = [*item.texts, *[""] * (most - len(item.texts))]
        cells = [item.id, "", question, item.title, item.detail, *texts, sheet.id]
        writer.writerow([inert(cell) for cell in cells])
    return _BOM + written.getvalue()


# filled


@dataclass(slots=True)
class Filled:
    """What raters answered: for each rater the answers by (sheet, item), and how many were left empty or cannot be used.

    ``key`` holds what is true of each item that was asked, ``asked`` is over all raters.
    """

    key: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    raters: list[dict[tuple[str, str], str]] = field(default_factory=list)
    asked: int = 0
    missing: int = 0
    invalid: int = 0


def read(folder: RunFolder, paths: Sequence[Path]) -> Filled:
    """Read sheets that raters have filled in, each by one rater: saved by the page, or the table itself.

    Raises:
        RunError: a file is no filled sheet or is of another run, nothing is answered, or the key is gone.
    """
    keys = _keys(folder)
    if not keys:
        raise RunError(
            f"{folder.path}: no sheet of this run is known; make one with: clio evaluate review {folder.path}"
        )
    filled = Filled()
    for path in paths:
        rows = _rows(path)
        sheets = {row["sheet"].strip() for row in rows} - {""}
        if len(sheets) != 1 or not sheets <= keys.keys():
            raise RunError(f"{path}: is not of a sheet that was made from {folder.path}")
        _add(filled, sheets.pop(), keys, rows)
    if not any(filled.raters):
        raise RunError("nothing is answered in " + ", ".join(str(path) for path in paths))
    return filled


def _add(filled: Filled, sheet: str, keys: Mapping[str, Any], rows: Sequence[Mapping[str, str]]) -> None:
    """Add one rater's answers; an item that is answered twice has no answer that counts."""
    given: dict[str, list[str]] = {}
    for row in rows:
        given.setdefault(row["item"].strip(), []).append(row["answer"].strip().upper())
    answers: dict[tuple[str, str], str] = {}
    for item, truth in keys[sheet].items():
        filled.key[sheet, item] = truth
        said = [re.sub(r"[.,]0+$", "", text) for text in given.pop(item, []) if text]
        if not said:
            filled.missing += 1
        elif len(said) > 1 or len(said[0]) != 1 or said[0] not in allowed(truth):
            filled.invalid += 1
        else:
            answers[sheet, item] = said[0]
    filled.asked += len(keys[sheet])
    filled.invalid += sum(any(texts) for texts in given.values())
    filled.raters.append(answers)


def _rows(path: Path) -> list[dict[str, str]]:
    """The rows of a filled sheet; spreadsheets also write semicolons or tabs between cells."""
    wanted = {"sheet", "item", "answer"}
    try:
        text = path.read_bytes().decode("utf-8-sig", "replace")
        first = text.split("\n", 1)[0]
        mark = max(",;\t", key=first.count)
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=mark, restval=""))
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror})") from None
    except csv.Error:
        rows = []
    if not rows or not wanted <= rows[0].keys():
        raise RunError(f"{path}: is no filled sheet; it needs the columns sheet, item and answer")
    return rows
