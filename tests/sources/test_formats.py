"""Every format of logs is recognised by looking, and read the same from every container."""

from __future__ import annotations

import csv
import gzip
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clio
from clio import sources
from clio.conversation import Conversation
from clio.errors import SourceError

TURNS = [
    {"role": "user", "content": "How do I bake bread?"},
    {"role": "assistant", "content": "With patience."},
]
NODE = {"id": "n", "children": []}


def chatgpt_node(
    key: str, parent: str | None, children: list[str], who: str, text: str, **extra: Any
) -> dict[str, Any]:
    message = {
        "author": {"role": who},
        "content": {"content_type": "text", "parts": [text]},
        "recipient": "all",
        "metadata": {"model_slug": "m-1"},
        **extra,
    }
    return {"id": key, "parent": parent, "children": children, "message": message}


RECORDS: dict[str, dict[str, Any]] = {
    "messages": {
        "id": "a",
        "user": "u1",
        "messages": TURNS,
        "created_at": "2026-03-01T10:00:00Z",
        "model": "m-1",
    },
    "parts": {
        "id": "a",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "How do I bake bread?"},
                    {"type": "image_url", "image_url": {}},
                ],
            }
        ],
    },
    "prompt and completion": {"prompt": TURNS[:1], "completion": TURNS[1:]},
    "sharegpt": {
        "conversations": [
            {"from": "human", "value": "How do I bake bread?"},
            {"from": "gpt", "value": "With patience."},
        ],
        "system": "Be kind.",
    },
    "wildchat": {
        "conversation_hash": "h1",
        "model": "m-1",
        "timestamp": "2023-04-09T00:02:53Z",
        "conversation": [{**TURNS[0], "hashed_ip": "ff", "country": "DE"}, TURNS[1]],
        "turn": 1,
        "language": "English",
        "toxic": False,
        "redacted": False,
    },
    "lmsys": {
        "conversation_id": "c1",
        "model": "m-1",
        "conversation": TURNS,
        "turn": 1,
        "language": "English",
        "redacted": False,
        "openai_moderation": [],
    },
    "chatgpt": {
        "id": "g1",
        "title": "t",
        "create_time": 1700000000.0,
        "current_node": "3",
        "mapping": {
            "1": {"id": "1", "parent": None, "children": ["2", "2b"], "message": None},
            "2": chatgpt_node("2", "1", ["3"], "user", "How do I bake bread?"),
            "2b": chatgpt_node("2b", "1", [], "user", "An edited branch"),
            "3": chatgpt_node("3", "2", [], "assistant", "With patience."),
        },
    },
    "claude": {
        "uuid": "c1",
        "created_at": "2025-01-01T00:00:00Z",
        "account": {"uuid": "acc"},
        "chat_messages": [
            {
                "sender": "human",
                "text": "old",
                "content": [{"type": "text", "text": "How do I bake bread?"}],
                "attachments": [{"extracted_content": "a whole file"}],
            },
            {"sender": "assistant", "text": "With patience.", "content": []},
        ],
    },
    "kura": {
        "chat_id": "k1",
        "created_at": "2025-01-01T00:00:00",
        "messages": TURNS,
        "metadata": {"product": "app"},
    },
    "records": {
        "id": "r1",
        "messages": TURNS,
        "label": "bake",
        "parent_label": "food",
        "language": "en",
        "user_id": "u",
        "created_at": None,
        "metadata": {"turns": 3},
    },
    "pairs": {"prompt": "How do I bake bread?", "response": "With patience."},
}


def read(path: Path | Any, **options: Any) -> list[Conversation]:
    return [
        found
        for found in sources.open([path] if isinstance(path, Path) else path, **options)
        if isinstance(found, Conversation)
    ]


@pytest.mark.parametrize("name", RECORDS)
def test_each_format_gives_the_first_request(tmp_path: Path, name: str) -> None:
    """The user's words come out of every shape, sniffed."""
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps(RECORDS[name]))
    (found,) = read(path)
    asked = [m.content for m in found.messages if m.role == "user"]
    assert asked[0].startswith("How do I bake bread?")
    assert len(asked) == 1


def test_users_times_and_models_are_found(tmp_path: Path) -> None:
    """The usual keys give user, time, model, country; other scalars become metadata."""
    path = tmp_path / "log.jsonl"
    path.write_text(
        "\n".join(
            json.dumps(RECORDS[name]) for name in ("messages", "wildchat", "chatgpt", "claude", "records")
        )
    )
    plain, wild, gpt, claude, record = read(path)
    assert (plain.user, plain.model, plain.created_at) == ("u1", "m-1", datetime(2026, 3, 1, 10, tzinfo=UTC))
    assert (wild.user, wild.country) == ("ff", "DE")
    assert (gpt.model, gpt.created_at) == ("m-1", datetime.fromtimestamp(1700000000, UTC))
    assert claude.user == "acc"
    assert record.metadata["label"] == "bake"
    assert record.metadata["turns"] == 3


def test_claude_code_lines_become_one_conversation_a_session(tmp_path: Path) -> None:
    """Side chains, tool results and summaries are left out."""
    line = {"sessionId": "s1", "uuid": "x", "timestamp": "2026-01-01T00:00:00Z", "isSidechain": False}
    lines = [
        {"type": "summary", "summary": "t", "leafUuid": "x"},
        {**line, "type": "user", "message": {"role": "user", "content": "Fix the test"}},
        {
            **line,
            "type": "assistant",
            "message": {
                "role": "assistant",
                "model": "m-1",
                "content": [{"type": "text", "text": "Done"}, {"type": "tool_use"}],
            },
        },
        {
            **line,
            "type": "user",
            "message": {"role": "user", "content": [{"type": "tool_result", "content": "secret output"}]},
        },
        {**line, "type": "user", "isSidechain": True, "message": {"role": "user", "content": "side"}},
    ]
    path = tmp_path / "s1.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    (found,) = read(path)
    assert [(m.role, m.content) for m in found.messages] == [("user", "Fix the test"), ("assistant", "Done")]


def test_containers_hold_the_same(tmp_path: Path) -> None:
    """JSONL, JSON array, JSON object, gzip, Zstandard, zip, CSV, Parquet and a frame give the same conversations."""
    rows = [{"id": f"i{n}", "user": "u", "messages": TURNS} for n in range(3)]
    lines = "\n".join(map(json.dumps, rows)).encode()
    (tmp_path / "a.jsonl").write_bytes(lines)
    (tmp_path / "b.json").write_text(json.dumps(rows, indent=2))
    (tmp_path / "c.json").write_text(json.dumps({"version": 1, "data": rows}))
    (tmp_path / "d.jsonl.gz").write_bytes(gzip.compress(lines))
    with pa.CompressedOutputStream(str(tmp_path / "e.jsonl.zst"), "zstd") as out:
        out.write(lines)
    with zipfile.ZipFile(tmp_path / "f.zip", "w") as archive:
        archive.writestr("conversations.json", json.dumps(rows))
        archive.writestr("user.json", "{}")
    (tmp_path / "g.csv").write_text(
        "id,user,messages\n"
        + "\n".join(f'i{n},u,"{json.dumps(TURNS).replace(chr(34), chr(34) * 2)}"' for n in range(3))
    )
    table = pa.Table.from_pylist(rows)
    pq.write_table(table, tmp_path / "h.parquet")
    (tmp_path / "i.jsonl").write_bytes(b"\xef\xbb\xbf" + lines)
    (tmp_path / "j.jsonl").write_bytes(lines.decode().encode("utf-16"))
    expected = [(f"i{n}", "u", 2) for n in range(3)]
    for path in sorted(tmp_path.iterdir()):
        assert [(c.id, c.user, len(c.messages)) for c in read(path)] == expected, path.name
    assert [(c.id, c.user, len(c.messages)) for c in read(table)] == expected


def test_long_cells_are_read_and_the_process_keeps_its_own_limit_of_csv(tmp_path: Path) -> None:
    """What reads tables between two records, or after a run, finds csv as it was."""
    long = json.dumps([{"role": "user", "content": "bread " * 30_000}]).replace('"', '""')
    path = tmp_path / "a.csv"
    path.write_text(f'id,messages\n1,"{long}"\n2,"{long}"\n')
    before = csv.field_size_limit()
    found = read(path)
    assert [(c.id, len(c.messages[0].content) > before) for c in found] == [("1", True), ("2", True)]
    for _ in sources.open([path]):
        assert csv.field_size_limit() == before


def test_a_mapping_of_the_user_alone_is_looked_for_beside_a_known_format(tmp_path: Path) -> None:
    """Of each format; what is mapped stays in no other column, and what is missing is nobody."""
    path = tmp_path / "log.jsonl"
    rows = [{"messages": TURNS, "who": {"id": "z"}, "team": "t1", "plan": "free"}, {"messages": TURNS}]
    path.write_text("\n".join(map(json.dumps, rows)))
    found, other = read(path, columns={"user": "who.id", "country": "team"})
    assert (found.user, found.country, found.metadata) == ("z", "t1", {"plan": "free"})
    assert (other.user, other.country, len(other.messages)) == (None, None, 2)
    (again, _) = read(path, columns={"user": "who.id"}, format="messages")
    assert again.user == "z"


def test_a_user_that_is_a_number_is_one_account_however_it_is_written(tmp_path: Path) -> None:
    """A table with gaps writes 1.0 for 1, and no number for nobody, who is not an account of that name."""
    path = tmp_path / "log.jsonl"
    users = ("1", "1.0", '"1"', "null", "1.5")
    path.write_text("\n".join(f'{{"user": {user}, "messages": {json.dumps(TURNS)}}}' for user in users))
    assert [found.user for found in read(path)] == ["1", "1", "1", None, "1.5"]
    table = pa.table({"user": [1.0, float("nan")], "messages": [TURNS, TURNS]})
    assert [found.user for found in read(table)] == ["1", None]


def test_damaged_archives_are_set_aside(tmp_path: Path) -> None:
    """What was read before the damage stands."""
    lines = [json.dumps({"id": str(n), "messages": TURNS, "x": str(n) * 50}) for n in range(4000)]
    packed = bytearray(gzip.compress("\n".join(lines).encode()))
    packed[len(packed) // 2 : len(packed) // 2 + 40] = b"\xff" * 40
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(packed)
    found = list(sources.open([path]))
    assert isinstance(found[0], Conversation)
    assert isinstance(found[-1], sources.Rejected)


def test_run_folders_and_ledgers_are_no_logs(tmp_path: Path) -> None:
    """A conversation that a run has kept would count as another person's: its users are hashed. Not in a folder, a glob, or by name."""
    row = {"id": "a", "user": "u", "messages": TURNS}
    (tmp_path / "log.jsonl").write_text(json.dumps(row))
    with pytest.raises(clio.PrivacyError, match="too few"):
        clio.run(tmp_path, tmp_path / "run")
    assert (tmp_path / "run" / "private" / "conversations.parquet").exists()
    for logs in (tmp_path, tmp_path / "**" / "*.*"):
        assert sources.expand([logs]) == [tmp_path / "log.jsonl"]
    (tmp_path / "ledger").mkdir()
    for name in ("key", "lock", "0123456789ab.parquet"):
        (tmp_path / "ledger" / name).write_bytes(b"PAR1")
    assert sources.expand([tmp_path]) == [tmp_path / "log.jsonl"]
    with pytest.raises(SourceError, match="is a run folder, not a log"):
        sources.expand([tmp_path / "run"])


def test_a_mapping_of_columns_reads_anything(tmp_path: Path) -> None:
    """Dotted paths say where things stand in a shape of one's own."""
    path = tmp_path / "own.jsonl"
    path.write_text(
        json.dumps(
            {"key": 7, "who": {"id": "z"}, "chat": {"turns": [{"role": "human", "text": "hello there"}]}}
        )
    )
    (found,) = read(path, columns={"id": "key", "user": "who.id", "messages": "chat.turns"})
    assert (found.id, found.user, found.messages[0].content) == ("7", "z", "hello there")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"messages": [', "broken JSON"),
        (b'{"messages": [{"role": "user", "content": "\xff\xfe"}]}', "wrong encoding"),
        (b'{"messages": []}', "empty"),
        (b'{"messages": [{"role": "assistant", "content": "hi"}]}', "no user message"),
        (b'{"messages": [{"role": "user", "content": "   "}]}', "empty"),
        (b'{"messages": [{"role": "wizard", "content": "hi"}]}', "unknown shape"),
        (b'{"messages": ["hi"]}', "unknown shape"),
        (b'{"other": 1}', "unknown shape"),
        (b"[1, 2]", "no object"),
        (b'"text"', "no object"),
        (b'{"id": "good", "messages": [{"role": "user", "content": "again"}]}', "duplicate id"),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, "nested too deep"),
        (json.dumps({"messages": [{"role": "user", "content": "x" * 500_000}]}).encode(), "too long"),
        (json.dumps({"messages": [{"role": "user", "content": "x"}] * 20_000}).encode(), "too long"),
    ],
)
def test_a_bad_record_is_set_aside_with_its_reason_and_position(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    """One bad line costs one line; the good one before it is read."""
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"id": "good", "messages": [{"role": "user", "content": "fine"}]}\n' + content)
    good, bad = list(sources.open([path]))
    assert isinstance(good, Conversation)
    assert bad == sources.Rejected(0, 1, reason)


def test_an_endless_line_is_skipped_in_bounded_memory(tmp_path: Path) -> None:
    """A record above the limit of bytes is set aside unread."""
    path = tmp_path / "log.jsonl"
    path.write_bytes(
        b'{"id": "good", "messages": [{"role": "user", "content": "fine"}]}\n{"x": "'
        + b"y" * 5_000_000
        + b'"}\n{"id": "b", "messages": [{"role": "user", "content": "too"}]}'
    )
    found = list(sources.open([path], limits=sources.Limits(max_record_bytes=1_000_000)))
    assert [type(f).__name__ for f in found] == ["Conversation", "Rejected", "Conversation"]


def test_what_json_allows_and_arrow_does_not_is_cleaned(tmp_path: Path) -> None:
    """NULs and lone surrogates disappear; the rest of the text stays."""
    path = tmp_path / "log.jsonl"
    path.write_text('{"messages": [{"role": "user", "content": "a\\u0000b\\ud800c"}]}')
    assert read(path)[0].messages[0].content == "abc"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.jsonl", b"", "is empty"),
        (
            "other.jsonl",
            b'{"chat_text": "private words", "Zorblax": 1, "pageUrl": 2}',
            "record 0 is of no known format; its keys: chat_text, pageUrl. Say",
        ),
        (
            "roles.jsonl",
            b'{"messages": [{"role": "wizard", "content": "private words"}]}',
            r"does not fit at messages\[0\].role",
        ),
        ("broken.jsonl", b"{private words\n{private words", "no record can be used"),
        ("text.txt", b"private words without commas", "no record can be used"),
        ("broken.zip", b"PK\x03\x04private words", "broken or locked zip"),
        ("broken.jsonl.gz", b"\x1f\x8bprivate words", "no record can be used"),
        ("broken.parquet", b"PAR1private words", "no record can be used"),
    ],
)
def test_a_file_with_nothing_usable_is_one_line_without_its_text(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """The message names the file and the first mismatch, and never quotes."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=message) as error:
        list(sources.open([tmp_path / name]))
    assert "private" not in str(error.value).replace(str(tmp_path), "")
    assert "\n" not in str(error.value)


def test_missing_paths_and_formats_say_what_to_do(tmp_path: Path) -> None:
    """A missing file, an empty folder and an unknown format are one line each."""
    with pytest.raises(SourceError, match="no such file"):
        list(sources.open([tmp_path / "nothing.jsonl"]))
    with pytest.raises(SourceError, match="folder without logs"):
        list(sources.open([tmp_path]))
    with pytest.raises(SourceError, match="did you mean sharegpt"):
        list(sources.open([tmp_path], format="sharegtp"))


def test_folders_and_globs_are_searched(tmp_path: Path) -> None:
    """Files are found in order of their names; those that are no logs do not stop the rest."""
    for n in range(2):
        (tmp_path / f"{n}.jsonl").write_text(json.dumps({"id": f"i{n}", "messages": TURNS}))
    (tmp_path / "notes.json").write_text('{"a": 1}')
    assert [c.id for c in read(tmp_path)] == ["i0", "i1"]
    assert [c.id for c in read([str(tmp_path / "*.jsonl")])] == ["i0", "i1"]


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                ["messages", "role", "content", "mapping", "conversations", "from", "value", "prompt", "x"]
            )
            | st.text(),
            inner,
        )
    ),
    max_leaves=20,
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "messages",
                "conversation",
                "mapping",
                "chat_messages",
                "conversations",
                "prompt",
                "completion",
                "id",
                "conversation_id",
                "chat_id",
                "sessionId",
                "type",
            ]
        ),
        json_values,
        min_size=1,
    )
)
def test_no_json_object_makes_a_reader_raise(record: dict[str, Any]) -> None:
    """Whatever the object, it is a conversation or set aside."""
    reader = sources._Reader(0, "x", "auto", {}, sources.Limits(), set())
    for found in reader.read([record], must=False):
        assert isinstance(found, Conversation | sources.Rejected)
