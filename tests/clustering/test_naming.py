"""Names are composed of what many users share; nothing verbatim of one person gets in."""

from __future__ import annotations

import numpy as np
import pytest

from clio.clustering.counting import Said, background, count, read, said_most
from clio.clustering.mixed import by_themes, by_words
from clio.clustering.naming import _also_said, describe_base, terms
from clio.clustering.parents import Described, describe_parents, placed
from clio.clustering.phrases import actions, find_phrases
from clio.clustering.topics import Nearest, Nearness, Spread, nearest, shares, topics
from clio.clustering.wording import Wording
from clio.text import has_cjk

TASKS = len(topics().tasks)
THEMES = len(topics().themes)
#: two clusters that are near to nothing
NOWHERE = Spread(np.zeros((2, TASKS), np.float32), np.zeros((2, THEMES), np.float32))
AWAY = Nearness(
    np.zeros((2, TASKS), np.float32), np.zeros((2, TASKS), bool), np.zeros((2, THEMES), np.float32)
)


@pytest.mark.parametrize(
    ("request_", "verb", "thing"),
    [
        ("Can you please turn the lights off in the kitchen?", "turn off", "lights"),
        ("How can I apply for a new credit card?", "apply for", "new credit card"),
        ("I would like to find a restaurant that serves Italian food", "find", "restaurant"),
        ("Write a Python function to sort numbers", "write", "python function"),
        ("what's the weather like tomorrow", "ask about", "weather"),
        ("please tell me about black holes", "ask about", "black holes"),
        ("Set up an alarm", "set up", "alarm"),
    ],
)
def test_the_action_of_a_request_is_found(request_: str, verb: str, thing: str) -> None:
    """Frames, imperatives and questions give a verb and its object."""
    assert any(a.verb == verb and " ".join(a.thing) == thing for a in actions(request_))


def test_chinese_and_other_languages_give_things() -> None:
    """Chinese gives verb and noun, other languages neighbouring content words."""
    assert any("故事" in p.words for p in find_phrases("请帮我写一个关于猫的故事", "zh"))
    assert any(
        p.words == ("billete", "tren") or "tren" in p.words
        for p in find_phrases("Necesito un billete de tren", "es")
    )


def alone(task: list[int]) -> Nearest:
    """Requests that are near to one task each and to no other."""
    numbers = np.asarray(task, np.int32)
    return Nearest(numbers, numbers[:, None])


def describe(texts: list[str], users: list[int] | None = None, min_users: int = 5) -> Described:
    numbers = np.asarray(users if users is not None else range(len(texts)), np.int32)
    # a second cluster to be told apart from
    others = ["play some quiet music", "play a song by the band", "turn up the volume"] * 5
    members = read(
        texts + others,
        ["en"] * (len(texts) + len(others)),
        np.asarray([0] * len(texts) + [1] * len(others), np.int32),
        np.concatenate([numbers, np.arange(1000, 1000 + len(others), dtype=np.int32)]),
    )
    return describe_base(members, NOWHERE, AWAY, min_users)[0]


LOST = [
    "i need to report a lost card",
    "how do i report my lost card",
    "can you report my card as lost",
    "please help me report a lost card",
    "report a lost card please",
    "i want to report a lost card",
]


def test_a_name_reads_as_a_person_would_write_it() -> None:
    """Verb, article, state and thing in their order."""
    assert describe(LOST * 2).name == "Report a lost card"


def test_words_of_too_few_users_never_enter_a_name() -> None:
    """One user who asks twenty times is one user."""
    texts = LOST + ["report my zarquon gramophone"] * 20
    found = describe(texts, users=[*range(len(LOST)), *[99] * 20])
    assert "zarquon" not in (found.name + found.description).casefold()


def test_clusters_of_one_name_are_told_apart() -> None:
    """Namesakes get what each has and the other has not."""
    texts = ["find a restaurant with italian food"] * 8 + ["find a restaurant with sushi"] * 8
    members = read(texts, ["en"] * 16, np.asarray([0] * 8 + [1] * 8, np.int32), np.arange(16, dtype=np.int32))
    a, b = describe_base(members, NOWHERE, AWAY, 5)
    assert a.name != b.name


def test_no_single_account_decides_what_a_cluster_is_called() -> None:
    """Six accounts name two things alike; whichever of them a seventh names, the cluster is called the same."""
    both = "tell me about scurvy. tell me about rabies."
    names = {
        describe([both] * 6 + more).name
        for more in ([], ["tell me about scurvy"], ["tell me about rabies"], ["tell me about something"])
    }
    assert len(names) == 1
    assert "scurvy" in describe(["tell me about scurvy"] * 9).name


def test_terms_are_what_enough_users_say() -> None:
    """What five say is a term, what one says is none."""
    texts = ["report a lost card"] * 5 + ["report a stolen zither"]
    members = read(texts, ["en"] * 6, np.zeros(6, np.int32), np.arange(6, dtype=np.int32))
    found = " ".join(terms(members, range(6), background(members), 5))
    assert "lost card" in found
    assert "zither" not in found


def test_descriptions_hold_no_numbers() -> None:
    """A number in a description could be subtracted; there is none."""
    assert not any(c.isdigit() for c in describe(LOST * 3).description)
    listed = describe(["buy 2 tickets to the 9 th show"] * 12)
    assert not any(c.isdigit() for c in listed.description.removeprefix(listed.plain))


def test_a_description_lists_what_enough_users_say_in_quotation_marks() -> None:
    """Words of nine users stand in it, those of one who asks twenty times do not; without them it is the plain one."""
    shared = [f"{text} at the airport" for text in (*LOST, *LOST)]
    found = describe([*shared, *["my zarquon gramophone"] * 20], users=[*range(len(shared)), *[99] * 20])
    assert "airport”" in found.description.removeprefix(found.plain)
    assert "zarquon" not in found.description
    assert "Often said" not in found.plain


def test_words_of_different_users_never_stand_side_by_side() -> None:
    """Six say zither and six others scurvy: each may be said, but not as one phrase (``privacy.support``)."""
    said = [Said(("zither",), set(range(6))), Said(("scurvy",), set(range(6, 12)))]
    assert _also_said(said, 6) == ["zither"]
    together = [Said(one.words, set(range(12))) for one in said]
    assert _also_said(together, 6) == ["zither", "scurvy"]


def test_what_is_said_is_counted_by_users_and_told_once() -> None:
    """Each word or pair is said by enough distinct users; one whose words have all come is left out; no pair of Chinese words."""
    texts = ["lost my card"] * 4 + ["my card"] * 5 + ["我想去观光"] * 5 + ["play some quiet music"] * 30
    languages = ["en"] * 9 + ["zh"] * 5 + ["en"] * 30
    members = read(texts, languages, np.zeros(44, np.int32), np.arange(44, dtype=np.int32))
    group, five = list(range(14)), list(range(4, 9)) * 4
    [found] = said_most(members, [group], 5, 20)
    assert all(len(one.users) >= 5 for one in found)
    assert "lost" not in {word for one in found for word in one.words}
    assert not any(len(one.words) > 1 and has_cjk(one.words[0]) for one in found)
    assert sum("card" in one.words for one in found) == 1
    assert said_most(members, [five], 6, 20) == [[]]


def test_parents_are_named_by_what_joins_their_children_and_are_distinct() -> None:
    """A theme that most requests share names a parent; namesakes lean to different tasks."""
    names = list(topics().tasks)
    task = [names.index("Book a flight")] * 14 + [names.index("Write a poem")] * 6
    task += [names.index("Book a hotel")] * 20
    spread = Spread.of(
        alone(task),
        np.repeat([0, 1], 20).astype(np.int32),
        np.arange(40, dtype=np.int32),
        2,
        5,
    )
    first, second = describe_parents(spread, top=True)
    assert first.name.startswith("Travel")
    assert second.name.startswith("Travel")
    assert first.name != second.name


def test_who_has_no_account_is_near_to_nothing() -> None:
    """Where no request supports anything, no task and no theme does, and nothing fails."""
    label, nobody = np.zeros(3, np.int32), np.full(3, -1, np.int32)
    assert not Spread.of(alone([0, 1, 2]), label, nobody, 1, 5).tasks.any()
    near = Nearness.of(alone([0, 1, 2]), np.zeros((1, TASKS), np.float32), label, nobody, 5)
    assert not near.tasks.any()
    assert not near.themes.any()


def test_a_task_that_few_are_near_to_names_nothing() -> None:
    """Even the public vocabulary tells of a person where a single request puts a task into a text."""
    names = list(topics().tasks)
    task = alone([names.index("Find a doctor")] * 9)
    label = np.zeros(9, np.int32)
    four = np.asarray([1, 1, 1, 2, 2, 3, 3, 4, -1], np.int32)
    few = Spread.of(task, label, four, 1, 5)
    assert not few.tasks.any()
    near = Nearness.of(task, np.zeros((1, TASKS), np.float32), label, four, 5)
    assert not near.tasks.any()
    assert not near.themes.any()
    assert describe_parents(few, top=True)[0].name == "Various requests"
    many = Spread.of(task, label, np.arange(9, dtype=np.int32), 1, 5)
    assert many.tasks[0, names.index("Find a doctor")] == 1


def of_themes(*parents: dict[str, float]) -> Spread:
    """How parents' requests spread over themes."""
    spread = np.zeros((len(parents), THEMES), np.float32)
    for row, shares_ in zip(spread, parents, strict=True):
        for theme, share in shares_.items():
            row[topics().themes.index(theme)] = share
    return Spread(np.zeros((len(parents), TASKS), np.float32), spread)


def test_a_parent_that_its_themes_do_not_speak_for_is_said_to_be_mixed() -> None:
    """A quarter of the requests must be nearest to what a plain name tells; themes that have an "and" of their own are parted plainly."""
    spread = of_themes(
        {"Music": 0.26},
        {"Music": 0.24},
        {"Games and sport": 0.09, "Film and television": 0.08, "Music": 0.07},
        {"Science": 0.2, "Geography": 0.15},
        {"Food and cooking": 0.3, "Mathematics": 0.15},
    )
    assert [one.name for one in describe_parents(spread, top=True)] == [
        "Music",
        "Various: music",
        "Various: games and sport; film and television; music",
        "Science and geography",
        "Food and cooking; mathematics",
    ]


def test_what_nothing_is_told_of_is_named_by_where_it_lies() -> None:
    """By the themes that speak for its parent; where none do, or there is no parent, no more is said. No two have one name."""
    base = [Described(name, "A mixed group.") for name in ["Various requests"] * 4 + ["Write a poem"]]
    spread = of_themes({"Creative writing": 0.3}, {"Music": 0.2})
    step = np.asarray([0, 0, 1, 1, 0], np.int32)
    assert [one.name for one in placed(base, spread, step)] == [
        "Various requests near creative writing",
        "Various requests near creative writing (second group)",
        "Various requests",
        "Various requests (second group)",
        "Write a poem",
    ]
    alone_ = placed(base[1:3], None, np.zeros(2, np.int32))
    assert [one.name for one in alone_] == ["Various requests", "Various requests (second group)"]


def called(near: list[list[str]], task: list[str] | None = None, users: int = 24) -> str:
    """The name of a cluster whose 24 users say different things, each near to some tasks and nearest to one, by default to any."""
    names = list(topics().tasks)
    numbers = [[names.index(one) for one in tasks] for tasks in near]
    theme = np.asarray(topics().theme_of)
    far = np.flatnonzero(theme != theme[numbers[0][0]]).tolist()
    nearest = np.asarray([names.index(one) for one in task] if task else far[:24], np.int32)
    width = max(map(len, numbers))
    filled = [row + far[24 + i * width : 24 + (i + 1) * width - len(row)] for i, row in enumerate(numbers)]
    found = Nearest(nearest, np.asarray(filled, np.int32))
    who, label = np.arange(24, dtype=np.int32) % users, np.zeros(24, np.int32)
    closeness = np.zeros((1, TASKS), np.float32)
    closeness[0, numbers[0]] = 1 - np.arange(width) / 100
    texts = [f"{chr(97 + n)}{chr(97 + n)} things" for n in range(24)]
    spread = Spread.of(found, label, who, 1, 5)
    nearness = Nearness.of(found, closeness, label, who, 5)
    members = read(texts, ["en"] * 24, label, who)
    return describe_base(members, spread, nearness, 5)[0].name


WRITING = ["Write a poem", "Write a short story", "Write song lyrics"]


def test_a_mixed_cluster_is_named_by_the_themes_that_it_leans_to() -> None:
    """Where no words and no task are shared by enough, the theme that a third is near to stands, said to be mixed."""
    assert called([WRITING] * 24) == "Various: creative writing"
    # four accounts are too few, however many requests they make
    assert called([WRITING] * 24, users=4) == "Various requests"
    # seven of 24 are enough to be told of, but not to speak for the others
    assert called([WRITING] * 8 + [[]] * 16) == "Various: creative writing"
    assert called([WRITING] * 7 + [[]] * 17) == "Various requests"


@pytest.mark.parametrize(
    ("near", "lean", "name"),
    [
        (0.4, 2.7, "Various: music"),
        (0.4, 2.5, "Various requests"),
        (0.7, 2.5, "Various: music"),
        (0.7, 2.1, "Various requests"),
        (0.3, 4.0, "Various requests"),
    ],
)
def test_a_theme_that_most_are_near_to_names_a_mixed_cluster_by_leaning_less(
    near: float, lean: float, name: str
) -> None:
    """A third must be near to a theme that a cluster leans to much, most to one that it leans to less."""
    music = topics().themes.index("Music")
    themes = np.zeros((1, THEMES), np.float32)
    themes[0, music] = near
    nearness = Nearness(np.zeros((1, TASKS), np.float32), np.zeros((1, TASKS), bool), themes)
    fit = np.where(np.asarray(topics().theme_of) == music, lean, 0.0).astype(np.float32)
    assert by_themes(NOWHERE, nearness, 0, fit) == name


@pytest.mark.parametrize(
    ("notes", "summaries", "name"),
    [(14, 12, "Various: notes and summary"), (14, 3, "Various: notes"), (14, 9, ""), (9, 3, ""), (3, 3, "")],
)
def test_a_mixed_cluster_is_named_by_what_two_in_five_speak_of(notes: int, summaries: int, name: str) -> None:
    """Whatever they want with it. One account more or less changes nothing: where it could, near 9 of 24, no word names the cluster."""
    wishes = ["write", "check", "sort", "print", "send", "make"]
    texts = [f"please {wishes[n % 6]} {'the notes' if n < notes else 'it'}" for n in range(24)]
    texts = [f"{text}. {wishes[n % 5]} a summary" if n < summaries else text for n, text in enumerate(texts)]
    members = read(texts, ["en"] * 24, np.zeros(24, np.int32), np.arange(24, dtype=np.int32))
    counts = count(members, range(24), 5)
    assert by_words(counts, Wording.learn(members.phrases), 5) == name


def test_a_task_names_a_cluster_only_where_a_quarter_is_nearest_to_its_theme() -> None:
    """A centroid may lie at a task that hardly any member means: such a name would be wrong of nearly all."""
    rest = list(topics().tasks[-18:])
    assert called([WRITING[:1]] * 24, ["Write a poem"] * 6 + rest) == "Write a poem"
    assert called([WRITING[:1]] * 24, ["Write a poem"] * 5 + rest + ["Book a flight"]) != "Write a poem"


def test_words_that_say_nothing_tell_no_cluster_from_another() -> None:
    """Two clusters of one task are told apart by a thing that is said in one, never by "what" or "tell me"."""
    names = list(topics().tasks)
    one = [f"tell me what {word} rabbits eat" for word in ("old", "big", "wild", "tame", "young", "grey")]
    other = [f"tell me what {word} eat" for word in ("cats", "mice", "dogs", "birds", "bees", "cows")]
    cluster = np.repeat([0, 1], 6).astype(np.int32)
    members = read([*one, *other], ["en"] * 12, cluster, np.arange(12, dtype=np.int32))
    spread = Spread.of(
        alone([names.index("Care for pets")] * 12), cluster, np.arange(12, dtype=np.int32), 2, 5
    )
    closeness = np.zeros((2, TASKS), np.float32)
    closeness[:, names.index("Care for pets")] = 1
    nearness = Nearness(closeness, AWAY.tasks, AWAY.themes)
    told = [one.name for one in describe_base(members, spread, nearness, 5)]
    assert len(set(told)) == 2
    assert not any(word in name.split() for name in told for word in ("what", "tell", "me"))


def test_nearest_task_is_found_and_shares_sum_to_one() -> None:
    """Each request gets its nearest task; a group's shares sum to one."""
    tasks = np.eye(TASKS, dtype=np.float32)
    near = nearest(tasks[[3, 3, 5]], tasks)
    assert near.task.tolist() == [3, 3, 5]
    assert near.near.shape == (3, 5)
    assert all(task in some for task, some in zip(near.task, near.near, strict=True))
    assert shares(near.task, [np.arange(3)], TASKS).sum() == pytest.approx(1)
