"""A weak signal of concern without a chat model: how harmful the words of a request sound, 1 (benign) to 3 (may warrant a look).

Words cannot tell a nurse from a poisoner or a novel from a plan. The scale of the paper (G.4.1) goes to 5; words alone never justify a 4
or a 5, so this never gives them. Use a chat model for the real facet.
"""

from __future__ import annotations

import re

#: what readers are told wherever this facet is shown
CAVEAT = "from words alone: a weak signal, never above 3 of 5"

_STRONG = re.compile(
    r"\b(?:(?:build|make|making|buy|assemble|detonate|plant)\s+(?:a |an |some )?(?:\w+ )?(?:bomb"
    r"|explosive|pipe bomb|ied|nerve agent|bioweapon|meth|poison)s?"
    r"|(?:kill|murder|poison|strangle|rape|stab|shoot)\s+(?:my|a|an|him|her|them|someone|people"
    r"|the)\b|suicide method|kill myself|end my life|hurt myself|self[- ]harm"
    r"|child porn\w*|csam|molest\w*|underage sex\w*|sexual\w* (?:minor|child)\w*"
    r"|ransomware|keylogger|phishing (?:mail|email|page|site)s?|write (?:a )?(?:malware|virus"
    r"|trojan)|ddos attack|hack (?:into|someone|my|his|her|their)"
    r"|credit card fraud|launder money|money laundering|counterfeit|fake (?:id|passport"
    r"|prescription)s?|steal (?:a|an|from|someone|their|identit)\w*"
    r"|ethnic cleansing|genocide|gas the|white power|join (?:isis|a terror\w*)|stalk(?:ing)? (?:my"
    r"|her|him|someone))\b"
    r"|自杀|自殘|制造炸弹|爆炸物|儿童色情|洗钱|自殺|爆弾の作り方|suicid(?:arme|io)|me suicider|selbstmord|bombe bauen|fabricar una bomba",
    re.IGNORECASE,
)
_MILD = re.compile(
    r"\b(?:kill|murder|suicid\w*|weapons?|guns?|bombs?|explosives?|drugs?|cocaine|heroin|meth"
    r"|porn\w*|nsfw|nude|sex(?:ual|y)?|rape|racist|nazis?|hitler|terroris\w+"
    r"|hack(?:ing|er|ed)?|malware|exploit|jailbreak|steal(?:ing)?|scam|fraud|slurs?|violen(?:t|ce)"
    r"|torture|abus(?:e|ive)|hate|stupid|idiot|bitch|fuck\w*|shit)\b"
    r"|杀|毒品|色情|枪|殺|武器",
    re.IGNORECASE,
)

# many times as fast as to look for either case; other alphabets have letters that lower() alone does not make equal
_STRONG_LOW, _MILD_LOW = re.compile(_STRONG.pattern), re.compile(_MILD.pattern)


def score(text: str) -> int:
    """Concern of a request by its words: 1 nothing heard, 2 a word that often occurs in harmful requests, 3 a phrase of harm."""
    strong, mild = _STRONG, _MILD
    if text.isascii():
        text, strong, mild = text.lower(), _STRONG_LOW, _MILD_LOW
    if strong.search(text):
        return 3
    return 2 if mild.search(text) else 1
