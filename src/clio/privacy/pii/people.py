"""Names of people where something beside them gives them away: "my name is …", a title, a greeting, a patronymic.

Most names stand without any such thing and are not found here; ``clio.privacy.names`` finds more of them with a small model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files

from clio.privacy.pii.spans import UPPER, Span, Traits, characters, compiled, words
from clio.text import ENGLISH_STOP_WORDS, word_list

_PARTICLE = (
    r"(?:(?:van|von|vom|de|del|della|der|den|di|da|do|dos|das|du|la|le|bin|ibn|al|el|ten|ter|zu|af|av) ){1,2}"
)
_WORD = rf"(?!(?:Apt|Suite|Unit|Flat|Street|Road)\b)(?:[OD]['’])?[{UPPER}][\w\-]+(?:['’](?!s\b)\w+)?"
_NEXT = rf"(?: (?:{_PARTICLE})?(?:[{UPPER}]\.?(?= [{UPPER}])|{_WORD}))"
_NAME = rf"{_WORD}{_NEXT}{{0,3}}(?!\w)"
_FULL = rf"{_WORD}{_NEXT}{{1,3}}(?!\w)"
_LOW = r"(?P<low>[^\W\d_A-Z]{2,20}(?: [^\W\d_A-Z]{2,20})?)(?!\w)"
_ARABIC = r"[\u0621-\u064a\u0670-\u06d3]{2,15}"
_HEBREW = r"[\u05d0-\u05ea]{2,15}"
_HAN = r"[\u4e00-\u9fff]"
_KATAKANA = r"[\u4e00-\u9fff\u30a0-\u30ff]"

# what a text must have, and a pattern with the name as "x", or as "low" within it where it may be in lower case
_CUES: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(needs.split()), pattern)
    for needs, pattern in (
        ("called", rf"(?i:(?<!\w){words('called')})[:,]? (?P<x>{_NAME}|{_LOW})"),
        (
            "called",
            rf"(?i:\bcall me )(?P<x>{_NAME}|{_LOW})(?=[.!?,]|$| (?:from|instead|please|now|and|but|or)\b)",
        ),
        ("called capital", rf"(?i:\byour (?:full |first |last )?name\? )(?P<x>{_NAME})"),
        ("human capital", rf"(?i:\b{words('human')} (?:is |was )?(?:named|called) )(?P<x>{_NAME})"),
        (
            "field : capital",
            rf"(?i:(?<![\w.$]){words('field')}) ?: {{0,12}}(?P<x>{_FULL}|{_WORD}(?=\s*(?:\n|$|[,;.])))(?!\()",
        ),
        ("title capital", rf"(?<!\w)(?:{words('title')})\.? (?P<x>{_NAME})"),
        ("this capital", rf"\b[Tt]his is (?P<x>{_FULL}|{_WORD}(?= (?:speaking|here|calling|from)\b))"),
        ("iam capital", rf"\bI(?:'?m| am) (?P<x>{_FULL}|{_WORD}(?=,? (?:and I|originally|from)\b))"),
        (
            "kin capital",
            rf"(?i:\b(?:my|our|his|her) {words('kin')}(?:'s name is| is called| is named| named| called|,)?) (?P<x>{_NAME})",
        ),
        ("greeting capital", rf"(?:^|(?<=\n))(?i:dear|hi|hello|hey) (?P<x>{_NAME})(?=[,!:\n])"),
        (
            "closing line capital",
            r"(?i:(?:regards|sincerely|thanks|cheers|best|yours truly|love|gr(?:uß|üßen)|cordialement|saludos|atentamente|saluti),?) ?\n+ ?"
            rf"(?P<x>{_NAME})\s*(?=\n|$)",
        ),
        (
            "does capital",
            rf"(?<!\w)(?<![\w.] )(?P<x>{_FULL})(?='s (?:address|number|phone|account|birthday|email)\b| {words('does')}\b)",
        ),
        # a Russian or Ukrainian name with a patronymic, or with initials
        (
            "cyrillic",
            r"(?<!\w)(?P<x>(?:[А-ЯЁІЇЄ][\w’']+ ){1,2}[А-ЯЁІЇЄ]\w+(?:[оеь]в?ич(?:а|у|ем|е)?|[оеи][вч]н[аыуе]|івн[аиуі])"
            r"(?: [А-ЯЁІЇЄ][\w’']+)?)(?!\w)",
        ),
        (
            "cyrillic",
            r"(?<!\w)(?P<x>[А-ЯЁІЇЄ]\. ?[А-ЯЁІЇЄ]\. ?[А-ЯЁІЇЄ][а-яёіїє]{2,}|[А-ЯЁІЇЄ][а-яёіїє]{2,} [А-ЯЁІЇЄ]\. ?[А-ЯЁІЇЄ]\.)",
        ),
        (
            "han",
            rf"(?:我叫|我的名字[是叫]|我姓|名叫|姓名[是:]?|名字[是叫:])(?P<x>(?:{_HAN}|·){{2,4}}?)(?=[，。,.\s！!、(]|$|[和的是]|今年)",
        ),
        (
            "han",
            rf"(?<!{_HAN})(?P<x>[{characters('han_surnames')}]{_HAN}{{0,2}})(?=先生|女士|小姐|老师|教授|医生|律师|经理)",
        ),
        (
            "han",
            rf"(?:私の名前は|名前は|私は)?(?P<x>(?:{_KATAKANA}|・){{2,8}}(?: {_KATAKANA}{{1,6}})?)(?=と申します|といいます|と言います)",
        ),
        (
            "han",
            rf"(?:私の名前は|お?名前:|氏名:)\s?(?P<x>(?:{_KATAKANA}|・){{2,12}}(?: {_KATAKANA}{{1,6}})?)(?=です|\s|$|、|。)",
        ),
        (
            "han",
            rf"(?<!{_HAN})(?P<x>{words('kanji_surnames')}[\u3040-\u30ff\u4e00-\u9fff]{{0,3}}?)(?=さん|様|氏|くん|君|ちゃん|先生)",
        ),
        (
            "hangul",
            r"(?:(?:제|내|저의) 이름은|이름:|성명:|성함:)\s*(?P<x>[가-힣]{2,5}?)"
            r"(?=입니다|이?에요|예요|이고|이며|이?야|(?:이)?라고|[\s,.]|$)",
        ),
        (
            "hangul",
            rf"(?:^|(?<=\s))(?:[저나]는 )?(?P<x>[{characters('hangul_surnames')}][가-힣]{{2}})(?=(?:이)?라고 (?:합니다|해요)| 씨)",
        ),
        (
            "arabic",
            r"(?:(?:^|(?<=\s))و?(?:[اأإ]سمي|السيدة?|الدكتورة?|الأستاذة?|المهندسة?|الاسم:)|(?:نام|اسم) من|میرا نام)\s+"
            rf"(?P<x>{_ARABIC}(?:\s(?!(?:من|في|على|و|أنا|است|ہے|هو|هي)\b){_ARABIC})?)",
        ),
        ("hebrew", rf"(?:שמי|קוראים לי|השם שלי הוא|גברת)\s+(?P<x>{_HEBREW}(?:\s{_HEBREW})?)"),
        (
            "indic",
            r"(?:मेरा (?:पूरा )?नाम|नाम:|श्रीमती|श्री|डॉ\.?|माझे नाव|আমার নাম|என் பெயர்|నా పేరు|ਮੇਰਾ ਨਾਮ|મારું નામ|ನನ್ನ ಹೆಸರು|എന്റെ പേര്)\s+"
            r"(?P<x>[\u0900-\u0dff]{2,20}(?:\s(?!है|हूँ|और|से|ने|को|का|की|के|आहे)[\u0900-\u0dff]{2,20})?)",
        ),
        (
            "thai",
            r"(?:ผมชื่อ|ดิฉันชื่อ|ฉันชื่อ|หนูชื่อ|ชื่อของ(?:ฉัน|ผม)คือ)\s*(?P<x>[\u0e01-\u0e4e]{2,20}(?:\s[\u0e01-\u0e4e]{2,20})?)",
        ),
    )
)
_NOT = ENGLISH_STOP_WORDS | word_list("not_names") | frozenset(characters("not_names").split())


# a given name, but not that of a saint after whom a town is called
_ALONE = re.compile(
    rf"(?=[{UPPER}])(?<!\w)"  # what most places lack comes first
    r"(?<!\bSan )(?<!\bSanta )(?<!\bSão )(?<!\bSaint )(?<!\bSt )(?<!\bSt\. )(?<!\bPort )(?<!\bFort )"
    r"[^\W\d_]{2,}(?![\w@])"
)
_REST = re.compile(rf"{_NEXT}{{0,3}}(?!\w)")


@cache
def _given_names() -> frozenset[str]:
    lines = files("clio.privacy").joinpath("given_names.txt").read_text("utf-8").splitlines()
    return frozenset(" ".join(line for line in lines if not line.startswith("#")).split())


@cache
def low_given_names() -> frozenset[str]:
    """Common given names in lower case, for a first glance."""
    return frozenset(map(str.lower, _given_names()))


def given_names(text: str) -> Iterator[Span]:
    """Common given names, each with the capitalised words that follow it; famous people have them too."""
    end = 0
    for found in _ALONE.finditer(text):
        if found.start() >= end and found.group() in _given_names():
            rest = _REST.match(text, found.end())
            end = rest.end() if rest else found.end()
            yield Span(found.start(), end, "name")


def names(text: str, traits: Traits) -> Iterator[Span]:
    """Names that a word or a form beside them gives away."""
    for pattern in _tried(traits):
        for found in pattern.finditer(text):
            start, end = found.span("x")
            said = found.group("x").split(" ")
            if said[0].casefold() in _NOT:
                continue
            if "low" in pattern.groupindex and found.group("low") and said[-1] in _NOT:
                end = start + len(said[0])
            yield Span(start, end, "name")


@lru_cache(maxsize=4096)
def _tried(traits: Traits) -> tuple[re.Pattern[str], ...]:
    """The patterns worth trying on a text of these traits."""
    return tuple(compiled(pattern) for needs, pattern in _CUES if needs <= traits)
