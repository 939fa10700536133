"""What 100,000 conversations of 1,000 tokens cost at list prices: python benchmarks/cost.py [FACETS-MODEL NAMING-MODEL]

By the paper's accounting (its table 2: one facet, a prompt of 300 tokens, 1.0M tokens to label, 18k to arrange, nothing to assign or
audit) and by ours: the real prompts of all built-in facets, naming, assigning and auditing, counted as `clio estimate` counts them;
singly and with batch jobs for the facets. Without arguments for a few pairs of models, the paper's own among them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from clio.estimate import estimate
from clio.facets.definition import builtin
from clio.facets.with_model import Asking
from clio.models import host_of, prices, tokens
from clio.models.prices import Price
from clio.models.protocols import Usage
from clio.settings import Settings

CONVERSATIONS, TOKENS = 100_000, 1_000
PAIRS = (
    ("anthropic:claude-3-haiku-20240307", "anthropic:claude-3-5-sonnet-20240620"),
    ("anthropic:claude-haiku-4-5", "anthropic:claude-sonnet-4-6"),
    ("anthropic:claude-haiku-5-5", "anthropic:claude-sonnet-5-5"),
    ("openai:gpt-5-nano", "openai:gpt-5-mini"),
    ("openai:gpt-4.1-nano", "openai:gpt-4.1-mini"),
)


def main() -> None:
    """Print a line a pair."""
    pairs = [(sys.argv[1], sys.argv[2])] if len(sys.argv) == 3 else PAIRS
    table = prices.table()
    print(f"{'facets + naming and auditing':<62} {'paper':>8} {'ours':>8} {'batch':>8} {'of $48.81':>9}")
    for facets, naming in pairs:
        known = [prices.price_of(name, host_of(name), table) for name in (facets, naming)]
        if None in known:
            print(f"{facets} + {naming}: no price known")
            continue
        first, second = (price for price in known if price)
        costs = [_ours(facets, naming, batch=batch) for batch in (False, True)]
        print(
            f"{facets + ' + ' + naming:<62} {_paper(first, second):>8.2f} {costs[0]:>8.2f} {costs[1]:>8.2f}"
            f" {costs[1] / 48.81:>9.0%}"
        )


def _paper(facets: Price, naming: Price) -> float:
    """The paper's tokens at other prices (it counts one model's tokens like another's)."""
    read = Usage(CONVERSATIONS * (TOKENS + 300), CONVERSATIONS * 100)
    return facets.cost(read) + naming.cost(Usage(1_000_000, 50_000)) + naming.cost(Usage(18_000, 600))


def _ours(facets: str, naming: str, *, batch: bool) -> float:
    models = {"facets": facets, "naming": naming, "auditing": naming}
    settings = Settings(models=models, batch=batch)
    price = prices.price_of(facets, host_of(facets), prices.table())
    assert price
    found = estimate(
        _conversations(price.ratio), CONVERSATIONS, CONVERSATIONS, settings, Asking(tuple(builtin().values()))
    )
    assert found.cost is not None
    return found.cost


def _conversations(ratio: float) -> Iterator[list[tuple[str, str]]]:
    """Two exchanges, together of 1,000 of the model's own tokens, as the paper counts them."""
    words = (
        "the quick brown fox jumps over the lazy dog and then asks how to bake bread without yeast at home "
    )
    said = [tokens.head(words * 40, round(share / ratio)) for share in (200, 400, 100, 300)]
    turns = [("user", said[0]), ("assistant", said[1]), ("user", said[2]), ("assistant", said[3])]
    for _ in range(CONVERSATIONS):
        yield turns


if __name__ == "__main__":
    main()
