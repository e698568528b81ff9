"""Writes added-tokens.json: ids of texts where tokens with switches were added to a tokenizer.

    python3 make_added_tokens.py

Made with tokenizers 0.23.2, of the tokenizers beside: every switch of tokens that count as whole
words only, and once tokens of different switches together.
"""

import itertools
import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer

HERE = Path(__file__).parent
WORDS = ["foo", "<bar>", "foobar"]
TEXTS = [
    "foo", "afoo", "fooa", " foo ", "a foo b", "foo foo", "foofoo", "foo-foo", "(foo).", "_foo",
    "foo_", "9foo", "foo9", "foo\u00b2", "\u4f60foo", "foo\u597d", "\u00e9foo", "foo\u0301",
    "e\u0301foo", "foo\u200d", "\u200dfoo", "foo\u00a0foo", "\tfoo\n", "<bar>", "a<bar>b",
    "<bar>foo", "foo<bar>foo", " <bar> <bar> ", "foobar", "foobars", "foo foobar", "xfoobar foo",
    "foo  <bar>  foobar", "Foo FOO", "\U0001f600foo\U0001f600", "a  foo  ,foo",
]
NAMES = ["gpt2", "llama2", "t5"]
SWITCHES = ("single_word", "lstrip", "rstrip", "normalized")


def sets():
    for values in itertools.product([False, True], repeat=3):
        own = dict(zip(SWITCHES, (True, *values)))
        yield [own, own, own]
    yield [
        dict(single_word=True, lstrip=True, rstrip=False, normalized=False),
        dict(single_word=False, lstrip=False, rstrip=True, normalized=True),
        dict(single_word=True, lstrip=False, rstrip=True, normalized=True),
    ]


def case(name, switches):
    tokenizer = Tokenizer.from_file(str(HERE / name / "tokenizer.json"))
    tokenizer.add_tokens([AddedToken(word, **own) for word, own in zip(WORDS, switches)])
    stored = json.loads(tokenizer.to_str())["added_tokens"]
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]
    return dict(tokenizer=name, added=[one for one in stored if one["content"] in WORDS], ids=ids)


def main():
    rows = [json.dumps(case(name, own)) for name in NAMES for own in sets()]
    text = json.dumps(TEXTS, ensure_ascii=True)
    cases = ",\n".join(f"    {row}" for row in rows)
    (HERE / "added-tokens.json").write_text(f'{{\n  "texts": {text},\n  "cases": [\n{cases}\n  ]\n}}\n')


if __name__ == "__main__":
    main()
