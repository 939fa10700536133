"""The explorer as one file: the page with its script, its styles and all answers in it, which opens without a server."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterator
from hashlib import sha256
from html import escape
from importlib.resources import files
from urllib.parse import quote

import orjson
from pydantic import BaseModel

from clio.explorer.answers import Answers
from clio.explorer.documents import Recorded
from clio.insights import Insights
from clio.insights.text import html as as_list

_SCRIPT = re.compile(r'<script\b([^>]*?)\s(?:crossorigin\s+)?src="\./([\w.-]+)"([^>]*)></script>')
_STYLES = re.compile(r'<link\b[^>]*?\bhref="\./([\w.-]+\.css)"[^>]*>')
_ICON = re.compile(r'(<link\b[^>]*?\bhref=")\./([\w.-]+\.svg)(")')
# numbers that a file may hold of comparisons: more would double its size, and those of time come first
_MOST_COMPARED = 200_000
# what a notebook is given to keep: it stores the page with each cell that shows it
_MOST_IN_NOTEBOOK = 8_000_000
_HEIGHT = 760


def single_file(insights: Insights, name: str = "insights") -> str:
    """The explorer of one run as an HTML document; the same insights give the same text.

    Its policy allows its own script and styles by their hashes, and no connection at all.
    """
    page = _static("index.html")
    hashes: dict[str, list[str]] = {"script": [], "style": []}

    def inline(kind: str, text: str, attributes: str = "") -> str:
        hashes[kind].append(f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'")
        return f"<{kind}{attributes}>{text}</{kind}>"

    def script(found: re.Match[str]) -> str:
        # inside of a script "<\/" is the same as "</", but ends nothing
        text = re.sub(r"<(?=/script)", r"<\\", _static(found[2]), flags=re.IGNORECASE)
        text = text.replace("<!--", r"<\!--")
        attributes = ' type="module"' if "module" in found[1] + found[3] else ""
        return inline("script", text, attributes)

    def styles(found: re.Match[str]) -> str:
        return inline("style", re.sub(r"<(?=/style)", r"<\\", _static(found[1]), flags=re.IGNORECASE))

    def icon(found: re.Match[str]) -> str:
        data = base64.b64encode(_static(found[2]).encode()).decode()
        return f"{found[1]}data:image/svg+xml;base64,{data}{found[3]}"

    page = _ICON.sub(icon, _STYLES.sub(styles, _SCRIPT.sub(script, page)))
    policy = (
        f"default-src 'none'; script-src {' '.join(hashes['script'])}; style-src {' '.join(hashes['style'])}; "
        "img-src data: blob:; connect-src 'none'; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    data = base64.b64encode(gzip.compress(_recorded(Answers(name, insights)), 6, mtime=0)).decode()
    head = f'<head>\n    <meta http-equiv="Content-Security-Policy" content="{policy}" />'
    body = f'<body>\n    <script id="recorded" type="application/octet-stream">{data}</script>\n    '
    body += f"<noscript>{as_list(insights)}</noscript>"
    return page.replace("<head>", head, 1).replace("<body>", body, 1)


class Explorer:
    """The explorer in a notebook: a page of its own that reaches neither the notebook nor any address."""

    def __init__(self, insights: Insights) -> None:
        self.insights = insights

    def __repr__(self) -> str:
        return f"<Explorer of {repr(self.insights)[1:-1]}>"

    def _repr_html_(self) -> str:
        plain = as_list(self.insights)
        page = single_file(self.insights)
        if len(page) > _MOST_IN_NOTEBOOK:
            return plain
        return (
            f'<iframe title="Insights Explorer" sandbox="allow-scripts allow-downloads" srcdoc="{escape(page)}"'
            f' width="100%" height="{_HEIGHT}" style="border:0"></iframe>'
            f"<details><summary>as a list</summary>{plain}</details>"
        )


def _recorded(answers: Answers) -> bytes:
    """All answers as JSON (``documents.Recorded``), numbers with four digits: more is not read, and most of a file would be digits."""
    held = {
        path: json.loads(document.model_dump_json(), parse_float=_short) for path, document in every(answers)
    }
    run = held[f"runs/{_part(answers.name)}"]
    return orjson.dumps(Recorded(answers={"runs": [run], **held}).model_dump())


def _short(number: str) -> float:
    return float(f"{float(number):.4g}")


def every(answers: Answers) -> Iterator[tuple[str, BaseModel]]:
    """What the page may ask for without a server, by path below ``api/v1/``, as ``encodeURIComponent`` writes its parts."""
    at = f"runs/{_part(answers.name)}"
    kept = max(1, _MOST_COMPARED // max(1, len(answers.insights)))
    comparisons = answers.run.comparisons[:kept]
    yield at, answers.run.model_copy(update={"comparisons": comparisons})
    yield f"{at}/clusters", answers.clusters
    for cluster in answers.insights.clusters:
        yield f"{at}/clusters/{_part(cluster.id)}", answers.detail(cluster.id)
    for facet in answers.run.facets:
        for own in facet.values:
            path = f"{at}/overlay?facet={_part(facet.facet)}&value={_part(own.value)}"
            yield path, answers.overlay(facet.facet, own.value)
    for offered in comparisons:
        yield f"{at}/comparisons/{_part(offered.id)}", answers.comparison(offered.id)


def _part(text: str) -> str:
    return quote(text, safe="!~*'()")


def _static(name: str) -> str:
    return files("clio.explorer").joinpath("static", name).read_text("utf-8")
