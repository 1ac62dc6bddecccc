"""The student's vocabulary: the base's English tokens that we need, and Chinese characters and words beside them.

The base spells a Chinese character as three bytes. Here each frequent one is a token, reached by two merges of its
bytes, and the most frequent words are merges of characters: it stays one byte-level BPE, to which no text is unknown.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from vrsdk.distill.smollm2 import Base

HAN_TEXT = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef\u2018-\u201d\u2026\u2014]+")
Merge = tuple[str, str]


def build(
    base: Base, english: Iterable[str], chinese: Iterable[str], *, en: int, zh_chars: int, zh_words: int
) -> Tokenizer:
    """A tokenizer with about `en` English tokens, `zh_chars` characters and `zh_words` words of Chinese."""
    whole = _tokenizer(base.tokens, base.merges)
    kept = _english_merges(base, _counts(whole, english), en)
    han = _chinese_merges(chinese, zh_chars, zh_words)
    merges = list(dict.fromkeys([*kept, *han]))
    tokens = [*_byte_alphabet(), *dict.fromkeys(a + b for a, b in merges)]
    return _tokenizer(list(dict.fromkeys(tokens)), merges)


def save(tokenizer: Tokenizer, path: Path) -> None:
    path.write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False), encoding="utf-8")


def base_rows(base: Base, tokenizer: Tokenizer) -> list[list[int]]:
    """For each token of `tokenizer` the base's ids that spell it; the mean of their rows is where it starts."""
    whole, decode = _tokenizer(base.tokens, base.merges), decoders.ByteLevel().decode
    index = {token: i for i, token in enumerate(base.tokens)}
    rows = []
    for i in range(tokenizer.get_vocab_size()):
        token = tokenizer.id_to_token(i) or ""
        text = decode([token])
        if token in index:
            rows.append([index[token]])
        elif "\ufffd" not in text:
            rows.append(list(whole.encode(text, add_special_tokens=False).ids) or [index["Ġthe"]])
        else:  # a part of a character; the base lacks some bytes
            rows.append([index[c] for c in token if c in index] or [index["Ġthe"]])
    return rows


def _tokenizer(tokens: list[str], merges: list[Merge]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _counts(whole: Tokenizer, texts: Iterable[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for text in texts:  # as it begins a line, and as it follows other words
        for form in (text, " " + text.lower()):
            found.update(whole.encode(form, add_special_tokens=False).tokens)
    return found


def _english_merges(base: Base, counts: Counter[str], wanted: int) -> list[Merge]:
    """The merges of the most frequent tokens, and of what these are made of, in the base's order."""
    made_by: dict[str, Merge] = {}
    for a, b in base.merges:
        made_by.setdefault(a + b, (a, b))
    kept: set[str] = set()
    for token, _ in counts.most_common():
        if len(kept) >= wanted:
            break
        if re.search(r"[\u00e2-\u00ef][\u0080-\u0143]{2}", token):  # bytes of Han: built anew below
            continue
        todo = [token]
        while todo:
            part = todo.pop()
            if part in made_by and part not in kept:
                kept.add(part)
                todo += made_by[part]
    return [(a, b) for a, b in base.merges if a + b in kept and made_by[a + b] == (a, b)]


def _chinese_merges(texts: Iterable[str], chars: int, words: int) -> list[Merge]:
    runs = [run for text in texts for run in HAN_TEXT.findall(text)]
    frequent = [c for c, _ in Counter("".join(runs)).most_common(chars)]
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Punctuation()
    trainer = trainers.BpeTrainer(
        vocab_size=len(frequent) + words, initial_alphabet=frequent, limit_alphabet=len(frequent), show_progress=False
    )
    learner.train_from_iterator(runs, trainer)
    merges: list[Merge] = []
    for char in frequent:
        spelled = _spell(char)
        merges += [(spelled[0], spelled[1]), (spelled[:2], spelled[2:])] if len(spelled) == 3 else []
    for a, b in json.loads(learner.to_str())["model"]["merges"]:
        merges.append((_spell(a), _spell(b)))
    return merges


def _spell(text: str) -> str:
    return "".join(
        t for t, _ in pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)
    )


def _byte_alphabet() -> list[str]:
    return sorted(pre_tokenizers.ByteLevel.alphabet())
