"""The explorer answers with insights only, treats every name as text, and says the same twice."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest
from pyarrow import BufferReader

from clio.errors import RunError
from clio.explorer import documents as made
from clio.explorer.server import _listener, app, serve
from clio.insights import Insights

HOSTILE = "</script><img src=x onerror=alert(1)>"
API = "/api/v1/runs/run"
LANGUAGE = f"facet=language&value={quote(HOSTILE, safe='')}"
DOCUMENTS: dict[str, type[Any]] = {
    API: made.Run,
    f"{API}/clusters": made.Clusters,
    f"{API}/clusters/1.1": made.Detail,
    f"{API}/clusters/2.1": made.Detail,
    f"{API}/overlay?{LANGUAGE}": made.Overlay,
    f"{API}/comparisons/recent": made.Compared,
    f"{API}/comparisons/language-1": made.Compared,
    f"{API}/compare?facet=week&a=2026-W28&a=2026-W30&b=2026-W29": made.Compared,
}
# names of markup languages, which nobody asks for
NAMESPACES = {
    "http://www.w3.org/2000/svg",
    "http://www.w3.org/1999/xhtml",
    "http://www.w3.org/1998/Math/MathML",
}
FILES = ["clusters.csv", "breakdowns.csv", "clusters.parquet", "breakdowns.parquet", "insights.html"]
# tests/explorer/conftest.py
Get = Callable[..., Any]


def numbers(value: Any) -> Iterator[int]:
    """The whole numbers of a JSON value, at any depth."""
    if isinstance(value, bool):
        return
    if isinstance(value, int):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from numbers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from numbers(inner)


def texts(value: Any) -> Iterator[str]:
    """The texts of a JSON value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_document_has_its_type(get: Get, path: str) -> None:
    """What is answered is valid by the contract that the page's types are made of."""
    DOCUMENTS[path].model_validate_json(get(path).body)


def test_the_list_of_runs_holds_the_runs(get: Get) -> None:
    """The same documents as one by one, with facets in order, comparisons and what made the growth."""
    (run,) = json.loads(get("/api/v1/runs").body)
    assert run == json.loads(get(API).body)
    assert (run["id"], run["coverage"], run["levels"]) == ("run", pytest.approx(0.4), [1, 2])
    kinds = {facet["facet"]: facet["kind"] for facet in run["facets"]}
    assert kinds == {"language": "category", "concern": "ordinal", "week": "time"}
    weeks = next(facet for facet in run["facets"] if facet["kind"] == "time")["values"]
    assert [own["value"] for own in weeks] == sorted(own["value"] for own in weeks)
    assert run["growth"] == "recent"
    assert "recent" in {one["id"] for one in run["comparisons"]}
    assert run["policy"] == {"min_users": 5}


def test_clusters_come_by_column_with_parents_first(get: Get, insights: Insights) -> None:
    """Columns of one length in one order, growth and concern among them, and what is not shown beside."""
    data = json.loads(get(f"{API}/clusters").body)
    assert data["id"] == ["1.1", "2.1", "2.2"]
    assert data["name"][1] == HOSTILE
    assert {len(column) for name, column in data.items() if name != "other"} == {3}
    assert data["concern"] == [pytest.approx(1.4), None, None]
    assert data["growth"] == [pytest.approx(0.0), None, None]
    assert data["other"][0] == {"parent": "1.1", "conversations": 40, "share": 0.1}


def test_a_cluster_says_where_it_stands_and_what_is_unusual(get: Get) -> None:
    """Path, children by size, cells against their base rate, hidden values, weeks and neighbours."""
    data = json.loads(get(f"{API}/clusters/1.1").body)
    assert (data["path"], data["children"], data["other"]) == ([], ["2.1", "2.2"], 40)
    languages = {cell["value"]: cell for cell in data["facets"][0]["cells"]}
    assert languages["ja"]["lift"] == pytest.approx(0.3 / 0.3)
    assert languages["ja"]["mark"] == "similar"
    assert [cell["value"] for cell in data["facets"][1]["cells"]] == ["1", "3"]
    assert data["trend"][0]["share"] == pytest.approx(0.5)
    child = json.loads(get(f"{API}/clusters/2.1").body)
    assert (child["path"], child["nearest"]) == (["1.1"], [{"id": "2.2", "similarity": 0.85}])
    assert [(facet["hidden"], facet["withheld"]) for facet in child["facets"]] == [
        (3, 100),
        (2, 100),
        (8, 100),
    ]
    assert [facet["withheld"] for facet in data["facets"]] == [0, 0, 12]
    assert {week["share"] for week in child["trend"]} == {None}


def test_an_overlay_colours_what_is_shown_only(get: Get) -> None:
    """The lift in the clusters' order, nothing where the value is hidden."""
    data = json.loads(get(f"{API}/overlay?{LANGUAGE}").body)
    assert data["lift"] == [pytest.approx(0.2 / 0.15), None, None]
    assert data["mark"][1:] == [None, None]


def test_a_comparison_is_the_same_by_id_and_by_its_values(get: Get) -> None:
    """What is offered can be asked for in full, with the same numbers."""
    offered = json.loads(get(f"{API}/comparisons/recent").body)
    sides = "".join(f"&{side}={value}" for side in "ab" for value in offered["comparison"][side])
    free = json.loads(get(f"{API}/compare?facet=week{sides}").body)
    for name in ("a", "b", "diff", "low", "high", "q", "a_conversations"):
        assert free[name] == offered[name]
    assert offered["b"][1:] == [None, None]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/runs/other",
        "/api/v1/runs/other/clusters",
        f"{API}/clusters/9.9",
        f"{API}/overlay?facet=language&value=xx",
        f"{API}/overlay?facet=user&value=xx",
        f"{API}/comparisons/none",
        f"{API}/compare?facet=week&a=2026-W28&b=2020-W01",
        f"{API}/export/members.csv",
        f"{API}/export/..%2finsights.json",
        f"{API}/search",
        "/../server.py",
        "/%2e%2e/server.py",
        "/docs",
        "/nothing",
    ],
)
def test_nothing_else_is_served(get: Get, path: str) -> None:
    """Unknown runs, clusters, values and files, and paths out of the page's folder, are 404."""
    assert get(path).status == 404


@pytest.mark.parametrize(
    "query", ["", "facet=week&a=2026-W28", "facet=week&b=2026-W28", "a=2026-W28&b=2026-W29"]
)
def test_a_comparison_without_two_sides_is_refused(get: Get, query: str) -> None:
    """What lacks a side or the facet is the asker's mistake; what has a value on both sides does not exist."""
    assert get(f"{API}/compare?{query}").status == 422
    assert get(f"{API}/compare?facet=week&a=2026-W28&b=2026-W28").status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(get: Get, method: str) -> None:
    """Every other method than reading is refused."""
    for path in ("/", "/api/v1/runs", f"{API}/clusters"):
        assert get(path, method=method).status == 405


@pytest.mark.parametrize(
    "path", ["/", "/app.js", "/api/v1/runs", "/nothing", f"{API}/clusters", f"{API}/export/clusters.csv"]
)
def test_every_answer_forbids_what_the_page_does_not_need(get: Get, path: str) -> None:
    """A strict content security policy, no sniffing, no referrer, nothing kept unasked, on page and data alike."""
    headers = get(path).headers
    assert headers["content-security-policy"].startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'"
    )
    assert "unsafe" not in headers["content-security-policy"]
    assert "http" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "private, no-cache"
    assert "access-control-allow-origin" not in headers


def test_the_page_loads_nothing_from_elsewhere_and_makes_no_markup_of_text(get: Get) -> None:
    """No third-party address, no way from a name to markup or script but one that the policy closes."""
    for path in ("/", "/app.js", "/app.css"):
        answer = get(path)
        assert set(re.findall(r"https?://[\w./]+", answer.text)) <= NAMESPACES
        for door in ("outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "srcdoc"):
            assert door not in answer.text, path
        assert (
            "require-trusted-types-for 'script'; trusted-types 'none'"
            in answer.headers["content-security-policy"]
        )


@pytest.mark.parametrize("path", ["/api/v1/runs", *DOCUMENTS])
def test_hostile_texts_stay_text(get: Get, path: str) -> None:
    """Every answer says that it is JSON, and no text has a line, a control or a sign that turns the order of letters."""
    answer = get(path)
    assert answer.headers["content-type"] == "application/json"
    for text in texts(json.loads(answer.body)):
        assert text.isprintable(), text


@pytest.mark.parametrize("path", ["/api/v1/runs", *DOCUMENTS])
def test_no_count_appears_that_insights_do_not_hold(get: Get, path: str, insights: Insights) -> None:
    """Every whole number of an answer is a published count, or a sum of published counts of one facet, a level or a rating."""
    cells = [*insights.base, *(cell for cluster in insights for cell in cluster.breakdown)]
    published = {insights.conversations, *(cell.conversations for cell in cells), *insights.withheld.values()}
    # what a cluster withholds of a facet follows from its size and its cells
    published |= {
        cluster.conversations - sum(cell.conversations for cell in cluster.breakdown if cell.facet == facet)
        for cluster in insights
        for facet in ("language", "concern", "week")
    }
    published |= {cluster.conversations for cluster in insights} | {
        group.conversations for group in insights.other
    }
    data = json.loads(get(path).body)
    if isinstance(data, dict) and "a_conversations" in data:
        base = {(cell.facet, cell.value): cell.conversations for cell in insights.base}
        for side in "ab":
            own = sum(base[data["comparison"]["facet"], value] for value in data["comparison"][side])
            assert data.pop(f"{side}_conversations") == own
    small = {*range(6), *insights.levels, 8}
    counts = set(numbers(data)) - published
    # what is left is no count of conversations: levels, ratings, numbers of clusters and of hidden values, the policy
    assert counts <= small


def test_the_same_is_said_once(get: Get) -> None:
    """With the tag of what it has the asker is told that nothing changed; other insights have another tag."""
    for path in ("/api/v1/runs", *DOCUMENTS, f"{API}/export/clusters.csv"):
        first = get(path)
        again = get(path, {"If-None-Match": first.headers["etag"]})
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert get(path, {"If-None-Match": '"other"'}).body == first.body
    assert get(f"{API}/clusters/9.9", {"If-None-Match": "*"}).status == 404


def test_the_tag_follows_the_insights(serving: Callable[..., Get], insights: Insights) -> None:
    """Two servers of the same insights agree, one of others does not."""
    other = Insights(insights.clusters[:1], insights.other, insights.base, 400, "100-499")
    tags = [serving({"run": own}, None)(API).headers["etag"] for own in (insights, insights, other)]
    assert tags[0] == tags[1] != tags[2]


def test_large_answers_are_packed(get: Get) -> None:
    """Who takes gzip gets it, and the same content."""
    packed = get(API, {"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == get(API).body


@pytest.mark.parametrize("name", FILES)
def test_files_are_downloads(get: Get, name: str) -> None:
    """Every export comes as a file that no browser shows as a page of the explorer."""
    answer = get(f"{API}/export/{name}")
    assert answer.status == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="run-{name}"'
    assert b"<img src" not in answer.body or name.endswith((".csv", ".parquet"))
    if name.endswith(".parquet"):
        assert pq.read_table(BufferReader(answer.body)).num_rows >= 3


@pytest.mark.parametrize("insights_", [Insights((), (), (), 0, "0"), Insights((), (), (), 500, "50-99")])
def test_insights_without_clusters_have_an_answer_everywhere(
    serving: Callable[..., Get], insights_: Insights
) -> None:
    """Nothing shown is no failure."""
    get = serving({"empty": insights_}, None)
    for path in ("", "/clusters", *(f"/export/{name}" for name in FILES)):
        assert get(f"/api/v1/runs/empty{path}").status == 200
    assert json.loads(get("/api/v1/runs/empty").body)["comparisons"] == []
    assert json.loads(serving({}, None)("/api/v1/runs").body) == []


def test_several_runs_are_told_apart(serving: Callable[..., Get], insights: Insights) -> None:
    """Each by its name, whatever stands in it."""
    get = serving({"a": insights, 'b "ü" & c': Insights((), (), (), 500, "50-99")}, None)
    assert [run["id"] for run in json.loads(get("/api/v1/runs").body)] == ["a", 'b "ü" & c']
    assert json.loads(get("/api/v1/runs/b%20%22%C3%BC%22%20%26%20c").body)["conversations"] == 500


def test_the_description_of_the_api_names_every_document() -> None:
    """The page's types are made of it."""
    document = app({}).openapi()
    assert {"Run", "Clusters", "Detail", "Overlay", "Compared"} <= set(document["components"]["schemas"])
    for path, methods in document["paths"].items():
        assert set(methods) == {"get"}, path


def test_a_taken_port_gives_the_next() -> None:
    """Twenty ports are tried."""
    first = _listener("127.0.0.1", 0)
    first.listen()
    second = _listener("127.0.0.1", first.getsockname()[1])
    assert second.getsockname()[1] != first.getsockname()[1]
    first.close()
    second.close()


def test_an_address_of_another_machine_cannot_be_listened_on(insights: Insights) -> None:
    """It is said in one line, for an address as for a name that nobody has."""
    for host in ("192.0.2.7", "no-such-name.invalid"):
        with pytest.raises(RunError, match="no address of this machine"):
            serve({"run": insights}, host=host)


@pytest.mark.parametrize(
    "wrong", [{"prefix": "a?b"}, {"prefix": "http://x"}, {"identity": ""}, {"identity": "X User:"}]
)
def test_what_is_no_path_or_header_is_refused(insights: Insights, wrong: dict[str, str]) -> None:
    """Before anything is listened on, with an example."""
    with pytest.raises(RunError, match="such as"):
        serve({"run": insights}, **wrong)  # type: ignore[arg-type]
