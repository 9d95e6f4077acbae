# ruff: noqa: INP001  a script beside the data that it writes, in no package
"""Sample the support desk's golden file and its train examples from CLINC150.

Nothing is drawn at random: of the utterances of an intent, those with the smallest sha256 are
taken, so every machine, Python and row order of the source gives the same files. An utterance
that occurs in more than one split of CLINC150, or twice in its own, is never a golden case, not
even when only case, punctuation or spacing differ.

    python build.py CLINC150_FOLDER --golden golden.jsonl --examples AGENT_FOLDER
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

OUT_OF_SCOPE = "out_of_scope"
SHORT_OUT_OF_SCOPE = "oos"
EXAMPLES_PER_INTENT = 20
GOLDEN_PER_DOMAIN = {"test": 22, "val": 10}
"""Golden cases of each domain, and of the questions that are out of scope, by split."""

Domains = dict[str, list[str]]
Texts = dict[str, dict[str, list[str]]]
"""Split to intent to its utterances; the intent `out_of_scope` is one of them."""
Row = dict[str, object]


def main() -> None:
    """Write golden.jsonl, and beside the agent examples.jsonl and domains.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clinc150", type=Path, help="folder with data_full.json and domains.json")
    parser.add_argument("--golden", type=Path, required=True, help="the golden file to write")
    parser.add_argument("--examples", type=Path, required=True, help="the agent's folder")
    args = parser.parse_args()
    domains: Domains = json.loads((args.clinc150 / "domains.json").read_text(encoding="utf-8"))
    texts = read_texts(args.clinc150 / "data_full.json")
    write_rows(args.golden, golden_cases(texts, domains))
    write_rows(args.examples / "examples.jsonl", examples(texts["train"], domains))
    (args.examples / "domains.json").write_text(json.dumps(domains, indent=2) + "\n", "utf-8")


def read_texts(path: Path) -> Texts:
    """Return the utterances of data_full.json, each intent's by ascending sha256."""
    source = json.loads(path.read_text(encoding="utf-8"))
    texts: Texts = {}
    for split in ("train", "val", "test"):
        by_intent = texts.setdefault(split, {})
        for text, intent in source[split]:
            by_intent.setdefault(intent, []).append(text)
        by_intent[OUT_OF_SCOPE] = [text for text, _ in source[f"oos_{split}"]]
        for utterances in by_intent.values():
            utterances.sort(key=sha256)
    return texts


def golden_cases(texts: Texts, domains: Domains) -> Iterator[Row]:
    """Give the cases of each split, stratified over the domains and what is out of scope."""
    seen = Counter(folded(text) for split in texts.values() for t in split.values() for text in t)
    for split, size in GOLDEN_PER_DOMAIN.items():
        for domain, intents in {**domains, OUT_OF_SCOPE: [OUT_OF_SCOPE]}.items():
            unique = {
                intent: [text for text in texts[split][intent] if seen[folded(text)] == 1]
                for intent in intents
            }
            for intent, rank, text in stratified(unique, size):
                yield golden_case(split, domain, intent, rank, text)


def stratified(texts: dict[str, list[str]], size: int) -> list[tuple[str, int, str]]:
    """Choose `size` of (intent, rank, text): every intent's first before any one's second."""
    ranked = [(i, rank, text) for i, ts in texts.items() for rank, text in enumerate(ts, start=1)]
    chosen = sorted(ranked, key=lambda choice: (choice[1], sha256(choice[2])))[:size]
    intents = list(texts)
    return sorted(chosen, key=lambda choice: (intents.index(choice[0]), choice[1]))


def golden_case(split: str, domain: str, intent: str, rank: int, text: str) -> Row:
    """Return one line of the golden file."""
    in_scope = intent != OUT_OF_SCOPE
    stem = f"{domain}-{intent}" if in_scope else SHORT_OUT_OF_SCOPE
    return {
        "id": f"{split}-{stem}-{rank:02}",
        "inputs": {"messages": [{"role": "user", "content": text}]},
        "expectations": {"team": domain, "intent": intent},
        "tags": {"domain": domain},
        "split": split,
        "cluster": intent if in_scope else SHORT_OUT_OF_SCOPE,
    }


def examples(train: dict[str, list[str]], domains: Domains) -> Iterator[Row]:
    """Give the agent's examples, of the train split only."""
    for team, intents in domains.items():
        for intent in intents:
            for text in train[intent][:EXAMPLES_PER_INTENT]:
                yield {"text": text, "team": team, "intent": intent}
    for text in train[OUT_OF_SCOPE]:
        yield {"text": text, "team": OUT_OF_SCOPE, "intent": OUT_OF_SCOPE}


def folded(text: str) -> str:
    """Return `text` as near-duplicates share it: no case, no punctuation, single spaces."""
    return " ".join(re.sub(r"[^\w\s]|_", "", text.casefold()).split())


def sha256(text: str) -> str:
    """Return the key by which utterances are ordered, and so chosen."""
    return hashlib.sha256(text.encode()).hexdigest()


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write one JSON object a line."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
