"""Write the English word forms that come with Clio: python benchmarks/make_word_forms.py

Needs simplemma (pip install simplemma), whose dictionary takes a quarter of a second to unpack at each start and comes with those of 53
other languages. Of its English one, written is src/clio/word_forms.txt: a line each form that is not its own lemma, with it, then a line
each other known word, both sorted.
"""

from __future__ import annotations

import simplemma
from simplemma.strategies.dictionaries.dictionary_factory import DefaultDictionaryFactory

from clio.text import WORD_FORMS, has_lemma

HEAD = f"""\
# English words and their lemmas, from simplemma {simplemma.__version__} (MIT, Adrien Barbaresi), which has them from the lists of lemmas
# of Michal Měchura, Wiktionary as packaged by Kaikki, FreeLing and UniMorph. This file: Open Database License 1.0,
# https://opendatacommons.org/licenses/odbl/1-0/
"""


def main() -> None:
    """Write the file."""
    words = {
        low
        for word in DefaultDictionaryFactory().get_dictionary("en")
        if (low := word[:1].lower() + word[1:]) == low.casefold() and not any(map(str.isspace, low))
    }
    lemmas = {
        word: lemma
        for word in words
        if has_lemma(word) and (lemma := simplemma.lemmatize(word, lang="en").casefold()) != word
    }
    forms = "\n".join(sorted(f"{word} {lemma}" for word, lemma in lemmas.items()))
    others = "\n".join(sorted(words - lemmas.keys()))
    WORD_FORMS.write_text(f"{HEAD}\n{forms}\n\n{others}", "utf-8")


if __name__ == "__main__":
    main()
