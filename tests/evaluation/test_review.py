"""A review: what raters get tells nothing of the key, does nothing of its own, and gives the figures that their answers allow."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pytest

from clio.conversation import Conversation, Message
from clio.errors import RunError
from clio.evaluation import review_sheet
from clio.evaluation.review import LETTERS, Item, Sheet, draw
from clio.evaluation.review_figures import Figure, alpha, auc_interval, figures
from clio.insights import Insight, Insights
from clio.insights.model import Near
from clio.run_folder import RunFolder
from clio.stored import conversations_table

SUBJECTS = ("cooking rice", "planning trips", "fixing bugs", "writing poems", "growing roses", "taxes")
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>{{policy}}\u202e\"'&"
FORMULA = '=HYPERLINK("https://example.org",1)\n+1, -2; @sum'


def request(subject: str, n: int) -> str:
    return f"Please help me with {subject}, question {n}"


def made(
    path: Path,
    sizes: Sequence[int] = (30, 25, 20, 16, 40, 14),
    said: Callable[[str, int], str] = request,
    command: str | None = None,
    hidden: Sequence[int] = (),
) -> tuple[RunFolder, Insights]:
    """A finished run of some subjects, each a base cluster; every two have a parent, and each is near the next."""
    folder = RunFolder(path, command)
    rows = [(subject, n) for subject, size in zip(SUBJECTS, sizes, strict=True) for n in range(size)]
    texts = [said(subject, n) for subject, n in rows]
    of = [f"2.{SUBJECTS.index(subject)}" for subject, _ in rows]
    ids = [f"c{n}" for n in range(len(rows))]
    talks = [
        Conversation(id_, (Message("user", text), Message("assistant", "An answer")))
        for id_, text in zip(ids, texts, strict=True)
    ]
    with folder.opened():
        table = conversations_table(talks, range(len(talks)), folder.salt())
        folder.write_table("conversations", "k1", table)
        numbers = pa.array(range(len(rows)), pa.int32())
        folder.write_table("facets", "k2", pa.table({"id": ids, "request": texts, "duplicate": numbers}))
        folder.write_table("assignments", "k3", pa.table({"id": ids, "cluster": of}))
    clusters = [
        Insight(
            id=f"2.{n}",
            parent=f"1.{n // 2}",
            level=2,
            name=f"Get help with {subject}",
            description=f"Users ask about {subject}.",
            conversations=sizes[n],
            users="10-49",
            share=sizes[n] / len(rows),
            audit=5,
            x=0.0,
            y=0.0,
            nearest=(Near(f"2.{(n + 1) % len(sizes)}", 0.9),),
        )
        for n, subject in enumerate(SUBJECTS)
        if n not in hidden
    ]
    insights = Insights(tuple(clusters), (), (), len(rows), "100+", about={"clustered": "request"})
    insights.save(folder.insights)
    folder.note({"settings": {"seed": 0}})
    return folder, insights


@pytest.fixture
def run(tmp_path: Path) -> tuple[RunFolder, Insights]:
    return made(tmp_path / "run")


def of_kind(sheet: Sheet, kind: str) -> list[Item]:
    return [item for item in sheet.items if item.kind == kind]


def fill(sheet: Sheet, path: Path, rater: Callable[[Item, Mapping[str, str]], str]) -> Path:
    """What the page saves once a rater has answered."""
    rows = [f"{sheet.id},{item.id},{rater(item, sheet.key[item.id])}" for item in sheet.items]
    path.write_text("\r\n".join(["sheet,item,answer", *rows, ""]))
    return path


def knowing(item: Item, truth: Mapping[str, str]) -> str:
    """A rater who is never wrong."""
    if item.kind == "members":
        return truth["answer"]
    return "5" if truth.get("shown", truth["cluster"]) == truth["cluster"] else "1"


def value(found: Sequence[Figure], part: str, begins: str) -> Figure:
    return next(figure for figure in found if figure.part == part and figure.figure.startswith(begins))


# drawing


def test_a_sheet_asks_three_things_of_each_cluster(run: tuple[RunFolder, Insights]) -> None:
    """Members are the cluster's own, the intruder another's, the summary's words those of its conversation; each stands there once."""
    sheet = draw(*run)
    subjects = {f"2.{n}": subject for n, subject in enumerate(SUBJECTS)}
    assert Counter(item.kind for item in sheet.items) == {"summary": 6, "members": 6, "name": 6}
    for item in sheet.items:
        truth = sheet.key[item.id]
        own = [subjects[truth["cluster"]] in text for text in item.texts]
        if item.kind == "members":
            assert [LETTERS[n] for n, inside in enumerate(own) if not inside] == [truth["answer"]]
            assert subjects[truth["shown"]] in item.texts[LETTERS.index(truth["answer"])]
        else:
            assert all(own)
        if item.kind == "name":
            assert item.title.endswith(subjects[truth["shown"]])
            assert item.detail.endswith(f"{subjects[truth['shown']]}.")
    assert [item.title for item in of_kind(sheet, "summary")] == [
        i.texts[0] for i in of_kind(sheet, "summary")
    ]
    shown = [text for item in sheet.items for text in item.texts]
    assert len(set(shown)) == len(shown)


def test_about_half_of_the_names_are_a_near_clusters_and_none_stands_there_twice(tmp_path: Path) -> None:
    """Whatever the seed: some of both sorts, siblings exchanged first, and never a name that could be seen to be another's."""
    folder, insights = made(tmp_path / "run")
    for seed in range(30):
        for clusters in (3, 4, 6):
            sheet = draw(folder, insights, clusters=clusters, seed=seed)
            shown = [sheet.key[item.id]["shown"] for item in of_kind(sheet, "name")]
            assert len(set(shown)) == clusters
            swapped = [t for t in sheet.key.values() if t["kind"] == "name" and t["shown"] != t["cluster"]]
            assert 1 <= len(swapped) <= clusters // 2 + 1
            assert clusters < 6 or any(
                int(t["shown"][2:]) // 2 == int(t["cluster"][2:]) // 2 for t in swapped
            )


def test_it_is_drawn_at_random_over_all_sizes_and_only_from_what_is_shown(tmp_path: Path) -> None:
    """The same seed gives the same sheet, another one another; a hidden cluster gives neither name nor request."""
    folder, insights = made(tmp_path / "run", hidden=[1])
    assert draw(folder, insights, seed=3) == draw(folder, insights, seed=3)
    assert draw(folder, insights, seed=3).id != draw(folder, insights, seed=4).id
    everything = repr([(item.title, item.texts) for item in draw(folder, insights).items])
    assert SUBJECTS[1] not in everything
    assert SUBJECTS[0] in everything
    for seed in range(20):
        found = {t["cluster"] for t in draw(folder, insights, clusters=2, seed=seed).key.values()}
        assert len(found & {"2.0", "2.4"}) == 1, "one of the larger half and one of the smaller"
    letters = Counter(
        truth["answer"]
        for seed in range(20)
        for truth in draw(folder, insights, seed=seed).key.values()
        if truth["kind"] == "members"
    )
    assert set(letters) == set("ABCDE")


def test_what_is_said_twice_counts_once_and_small_clusters_are_left_out(tmp_path: Path) -> None:
    """Requests that differ in capitals only are one; where two clusters do not have enough of them there is no sheet."""
    folder, insights = made(tmp_path / "a", said=lambda subject, n: request(subject, n % 12))
    assert {t["cluster"] for t in draw(folder, insights).key.values()} == {f"2.{n}" for n in range(6)}
    folder, insights = made(
        tmp_path / "b", said=lambda s, n: request(s, n % 7).swapcase() if n > 20 else request(s, n % 7)
    )
    with pytest.raises(RunError, match="fewer --members"):
        draw(folder, insights)
    assert draw(folder, insights, members=3).items


def test_turns_are_masked_and_shortened(tmp_path: Path) -> None:
    """Of a long turn both ends stay; an address is masked wherever it stands, at a cut too."""
    mail = "jane.roe@example.com"

    def said(subject: str, n: int) -> str:
        return (
            f"{subject} {n} {mail} " + f"word{n} " * (100 * (n % 3)) + f"{'x' * (n * 700)} {mail} the end {n}"
        )

    folder, insights = made(tmp_path / "run", said=said)
    turns = [text for item in of_kind(draw(folder, insights), "summary") for text in item.texts]
    assert all("[email]" in turn for turn in turns)
    assert not any("jane.roe" in turn or "example.com" in turn for turn in turns)
    assert all(len(turn) <= 820 for turn in turns)
    assert any("[…]" in turn for turn in turns)
    assert all(re.search(r"the end \d+$", turn) for turn in turns)


def test_no_text_of_a_person_is_in_a_repr(run: tuple[RunFolder, Insights]) -> None:
    """Neither a sheet nor an item shows what it holds."""
    sheet = draw(*run)
    assert not any(subject in f"{sheet!r} {sheet.items[0]!r}" for subject in SUBJECTS)


# the sheet


def test_what_raters_get_does_not_tell_what_is_true(run: tuple[RunFolder, Insights]) -> None:
    """Items of a kind are alike in all but their texts, their order tells nothing, and no id of a cluster or a conversation is there."""
    sheet = draw(*run)
    data = re.findall(r'id="data">(.*?)</script>', review_sheet.page(sheet), re.DOTALL)[0]
    for kind in ("summary", "members", "name"):
        shapes = {
            tuple((name, len(value) if name == "texts" else type(value)) for name, value in item.items())
            for item in json.loads(data)["items"]
            if item["kind"] == kind
        }
        assert len(shapes) == 1, "one that is wrong looks like one that is right"
    assert not re.search(r'\b[12]\.\d\b|"c\d+"|swap|intruder|true', data + review_sheet.table(sheet))
    swapped: dict[bool, list[int]] = {True: [], False: []}
    for seed in range(60):
        sheet = draw(*run, seed=seed)
        for place, item in enumerate(of_kind(sheet, "name")):
            swapped[sheet.key[item.id]["shown"] != sheet.key[item.id]["cluster"]].append(place)
    assert np.mean(swapped[True]) == pytest.approx(np.mean(swapped[False]), abs=0.5)


def test_the_page_allows_its_own_script_alone_and_holds_texts_as_data(tmp_path: Path) -> None:
    """The policy names the hashes of one script and one style; a hostile text ends no element and takes no slot of the template."""
    folder, insights = made(tmp_path / "run", said=lambda subject, n: f"{HOSTILE} {subject} {n}")
    hostile = replace(
        insights, clusters=tuple(replace(c, name=f"{HOSTILE}{c.id}") for c in insights.clusters)
    )
    page = review_sheet.page(draw(folder, hostile))
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith("default-src 'none'; ")
    assert "connect-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        [inner] = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(sha256(inner.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert page.count("<script") == page.count("</script>") == 2
    assert "<img src=x" not in page
    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert "<" not in data
    texts = [text for item in json.loads(data)["items"] for text in item["texts"]]
    assert all("<img src=x onerror=alert(1)>{{policy}}" in text for text in texts)
    assert "\u202e" not in page
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|fetch\(|https?://(?!www\.w3)", page
    )


def test_no_cell_of_the_table_starts_a_formula(tmp_path: Path) -> None:
    """Whatever people write, each item is one row whose cells begin none."""
    folder, insights = made(tmp_path / "run", said=lambda subject, n: f"{FORMULA} {subject} {n}")
    hostile = replace(insights, clusters=tuple(replace(c, name=f"@{c.name}") for c in insights.clusters))
    sheet = draw(folder, hostile)
    rows = list(csv.reader(io.StringIO(review_sheet.table(sheet).removeprefix("\ufeff"))))
    assert rows[0][:2] == ["item", "answer"]
    assert len(rows) == len(sheet.items) + 1
    for row in rows[1:]:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t")) or "\n" in cell for cell in row)


def test_files_are_their_owners_and_in_the_private_zone(
    run: tuple[RunFolder, Insights], tmp_path: Path
) -> None:
    """Mode 0600 in a folder of 0700; elsewhere the two sheets alone, the key stays with the run."""
    folder, _ = run
    sheet = draw(*run)
    paths = review_sheet.write(sheet, folder)
    assert [path.name for path in paths] == ["review.html", "review.csv", "review.key.json"]
    assert {path.parent for path in paths} == {folder.private / "review"}
    assert paths[0].parent.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in paths)
    elsewhere = review_sheet.write(draw(*run, seed=1), folder, tmp_path / "desk")
    assert sorted(path.name for path in (tmp_path / "desk").iterdir()) == ["review.csv", "review.html"]
    assert elsewhere[2] == paths[2]
    assert len(json.loads(paths[2].read_text())["sheets"]) == 2, "the first sheet can still be evaluated"


def test_a_sheet_that_may_be_filled_is_not_overwritten(run: tuple[RunFolder, Insights]) -> None:
    """The same sheet may be written again; one that was changed, or another one in its place, is refused and nothing changes."""
    folder, _ = run
    paths = review_sheet.write(draw(*run), folder)
    assert review_sheet.write(draw(*run), folder) == paths
    paths[1].write_text(paths[1].read_text().replace(",,", ",5,", 1))
    before = [path.read_bytes() for path in paths]
    for seed in (0, 1):
        with pytest.raises(RunError, match="may be filled in"):
            review_sheet.write(draw(*run, seed=seed), folder)
    assert [path.read_bytes() for path in paths] == before


def test_it_is_not_written_where_others_see_it(run: tuple[RunFolder, Insights], tmp_path: Path) -> None:
    """Neither among the insights nor where a file is in the way."""
    folder, _ = run
    for out in (folder.insights, folder.insights / "review"):
        with pytest.raises(RunError, match="holds people's text"):
            review_sheet.write(draw(*run), folder, out)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        review_sheet.write(draw(*run), folder, tmp_path / "file")
    assert sorted(path.suffix for path in folder.insights.iterdir()) == [".json", *[".parquet"] * 3]


def test_an_encrypted_run_keeps_its_key_encrypted_and_its_sheet_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that opens in a browser would be plain text in a zone that holds none."""
    monkeypatch.delenv("CLIO_KEY", raising=False)
    folder, insights = made(tmp_path / "run", command="echo correct horse battery")
    sheet = draw(folder, insights)
    with pytest.raises(RunError, match="--out"):
        review_sheet.write(sheet, folder)
    key = review_sheet.write(sheet, folder, tmp_path / "desk")[2]
    assert b"cluster" not in key.read_bytes()
    filled = review_sheet.read(folder, [fill(sheet, tmp_path / "a.csv", knowing)])
    assert value(figures(filled), "members", "intruders").value == 1


def test_without_a_private_zone_there_is_nothing_to_rate(run: tuple[RunFolder, Insights]) -> None:
    """Neither sheet nor figures are made of a run that was purged."""
    folder, insights = run
    shutil.rmtree(folder.private)
    with pytest.raises(RunError, match="was deleted"):
        draw(folder, insights)
    with pytest.raises(RunError, match="no sheet of this run"):
        review_sheet.read(folder, [])
    assert not folder.private.exists()


# filled


def test_a_filled_table_is_read_as_spreadsheets_write_it(
    run: tuple[RunFolder, Insights], tmp_path: Path
) -> None:
    """Semicolons, a byte order mark, 5.0 for 5 and small letters are understood."""
    folder, _ = run
    sheet = draw(*run)
    review_sheet.write(sheet, folder)
    rows = list(csv.reader(io.StringIO(review_sheet.table(sheet).removeprefix("\ufeff"))))
    for row in rows[1:]:
        answer = knowing(sheet.items[int(row[0]) - 1], sheet.key[row[0]])
        row[1] = f" {answer.lower()} " if answer in LETTERS else f"{answer},0"
    path = tmp_path / "a.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    filled = review_sheet.read(folder, [path])
    assert (filled.missing, filled.invalid) == (0, 0)
    assert filled.raters[0] == {
        (sheet.id, item.id): knowing(item, sheet.key[item.id]) for item in sheet.items
    }


def test_missing_and_invalid_answers_are_counted_and_left_out(
    run: tuple[RunFolder, Insights], tmp_path: Path
) -> None:
    """An empty cell, a letter beyond the last, 0, 55, a word, an unknown item, and an item that is answered twice."""
    folder, _ = run
    sheet = draw(*run)
    review_sheet.write(sheet, folder)
    members = [item.id for item in of_kind(sheet, "members")]
    given = {"1": "", "2": "0", "3": "55", "4": "good", members[0]: "F", "99": "3"}
    rows = [f"{sheet.id},{id_},{answer}" for id_, answer in given.items()]
    rows += [f"{sheet.id},5,4", f"{sheet.id},5,5", f"{sheet.id},6,4"]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["sheet,item,answer", *rows]))
    filled = review_sheet.read(folder, [path])
    assert filled.raters == [{(sheet.id, "6"): "4"}]
    assert (filled.asked, filled.missing, filled.invalid) == (18, 1 + (18 - 7), 6)
    [only] = figures(filled)
    assert (only.value, only.low, only.items) == (4, None, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"sheet,item,answer\n0123456789ab,1,5\n", "is not of a sheet"),
        (b"sheet,item,answer\n", "no filled sheet"),
        (b"", "no filled sheet"),
        (b"\xff\xfe\x00PK", "no filled sheet"),
        (b"name,age\nx,1\n", "no filled sheet"),
        (b'sheet,item,answer\n"' + b"x" * 200_000, "no filled sheet"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_filled_sheet_of_this_run_is_refused(
    run: tuple[RunFolder, Insights], tmp_path: Path, content: bytes | None, message: str
) -> None:
    """One line that names the file; another run's sheet has no key here."""
    folder, _ = run
    review_sheet.write(draw(*run), folder)
    path = tmp_path / "a.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunError, match=message) as refused:
        review_sheet.read(folder, [path])
    assert str(path) in str(refused.value)


def test_an_empty_sheet_gives_no_figures(run: tuple[RunFolder, Insights], tmp_path: Path) -> None:
    """Where nothing is answered that is said."""
    folder, _ = run
    sheet = draw(*run)
    review_sheet.write(sheet, folder)
    with pytest.raises(RunError, match="nothing is answered"):
        review_sheet.read(folder, [fill(sheet, tmp_path / "a.csv", lambda *_: "")])


def test_figures_tell_a_knowing_rater_from_a_guessing_one(
    run: tuple[RunFolder, Insights], tmp_path: Path
) -> None:
    """Who is never wrong finds all and ranks all; who guesses is at chance, within the interval; the two hardly agree."""
    folder, _ = run
    sheet = draw(*run)
    review_sheet.write(sheet, folder)
    rng = np.random.default_rng(1)

    def guessing(item: Item, _truth: Mapping[str, str]) -> str:
        return str(rng.choice(list("ABCDE" if item.kind == "members" else "12345")))

    one = figures(review_sheet.read(folder, [fill(sheet, tmp_path / "a.csv", knowing)]))
    assert value(one, "members", "intruders").value == 1
    assert value(one, "members", "intruders").chance == pytest.approx(0.2)
    assert value(one, "names", "pairs").value == 1
    assert 0.4 < (value(one, "names", "pairs").low or 1) < 1, "a perfect score of few items is no certainty"
    assert value(one, "names", "mean rating, true").value == 5
    assert value(one, "names", "mean rating, true").low is None, "what does not vary has no interval"
    assert value(one, "names", "mean rating, near").value == 1
    assert not any("agreement" in figure.figure for figure in one)
    both = figures(review_sheet.read(folder, [tmp_path / "a.csv", fill(sheet, tmp_path / "b.csv", guessing)]))
    agreed = value(both, "members", "agreement")
    assert agreed.value < 0.6
    assert (agreed.low or -2) < agreed.value < (agreed.high or 2)
    twice = figures(review_sheet.read(folder, [tmp_path / "a.csv", fill(sheet, tmp_path / "c.csv", knowing)]))
    assert value(twice, "names", "agreement").value == 1
    first, second = value(one, "members", "intruders"), value(twice, "members", "intruders")
    assert (second.low, second.high) == (first.low, first.high), "more raters are no more clusters"


def test_sheets_with_other_seeds_are_evaluated_together(
    run: tuple[RunFolder, Insights], tmp_path: Path
) -> None:
    """Items of both count; where no item was answered by two there is no agreement."""
    folder, _ = run
    paths = []
    for seed in (0, 1):
        sheet = draw(*run, seed=seed)
        review_sheet.write(sheet, folder, tmp_path / f"desk{seed}")
        paths.append(fill(sheet, tmp_path / f"{seed}.csv", knowing))
    found = figures(review_sheet.read(folder, paths))
    assert value(found, "members", "intruders").items == 12
    assert not any("agreement" in figure.figure for figure in found)


def counted(answers: Sequence[str]) -> np.ndarray:
    """Ratings of raters, a text each with a dot where one is missing, as counts of values by item."""
    values = sorted(set("".join(answers)) - {"."})
    return np.asarray([[item.count(value) for value in values] for item in zip(*answers, strict=True)], float)


PUBLISHED = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
WIKIPEDIA = (".....34121133.3", "1.213343.......", "..21344.21133.4")


@pytest.mark.parametrize(
    ("answers", "level", "expected"),
    [
        # Krippendorff 2011, "Computing Krippendorff's alpha-reliability", examples B and C
        (("aabbdcccedda", "babbbccceddd"), "nominal", 0.692),
        (PUBLISHED, "nominal", 0.743),
        (PUBLISHED, "ordinal", 0.815),
        # Wikipedia, "Krippendorff's alpha"; the second by the package krippendorff 0.9.0
        (WIKIPEDIA, "nominal", 0.691),
        (WIKIPEDIA, "ordinal", 0.807),
    ],
)
def test_alpha_is_the_published_one(
    answers: Sequence[str], level: Literal["nominal", "ordinal"], expected: float
) -> None:
    """To three places, with answers missing."""
    assert alpha(counted(answers), level)[0] == pytest.approx(expected, abs=5e-4)


def test_alpha_of_agreement_chance_and_nothing() -> None:
    """1 where all agree, about 0 for guesses, not defined without two values or two answers; a weight is an item so often."""
    assert alpha(counted(["1234", "1234"]), "ordinal")[0] == 1
    guesses = np.random.default_rng(0).integers(1, 6, (3, 4000)).astype(str)
    assert abs(alpha(counted(["".join(row) for row in guesses]), "ordinal")[0]) < 0.03
    assert np.isnan(alpha(counted(["11", "11"]), "nominal")[0])
    assert np.isnan(alpha(counted(["12", ".."]), "nominal")[0])
    one, weights = counted(["1231", "1222"]), np.asarray([[2.0, 0, 1, 1]])
    again = alpha(counted(["1131", "1122"]), "ordinal")[0]
    assert alpha(one, "ordinal", weights)[0] == pytest.approx(again)


def test_the_interval_of_an_auc_holds_it() -> None:
    """Of ratings of a known AUC about 95 in 100 intervals hold it; it is symmetric and has a width at its ends."""
    low, high = auc_interval(1.0, 10, 10)
    assert high == 1
    assert 0.7 < low < 0.9
    assert auc_interval(0.0, 10, 10) == pytest.approx((0, 1 - low))
    rng, held = np.random.default_rng(0), 0
    for _ in range(300):
        a, b = rng.normal(1, 1, 12), rng.normal(0, 1, 10)
        low, high = auc_interval(float((a[:, None] > b).mean()), 12, 10)
        held += low <= 0.7602 <= high  # of normals one deviation apart
    assert 0.92 < held / 300 <= 0.99
