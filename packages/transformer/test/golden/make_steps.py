"""Writes tokenizers/steps.json: steps of the Python library, for texts and ids that are hard for them.

    python3 make_steps.py

Made with Python 3.11.7, tokenizers 0.23.2, from tokenizers/{t5,llama2,gemma}/tokenizer.json.
normalised: [text, what the normalizer of T5 makes of it]; split: [pre-tokenizer as tokenizer.json has
it, [[text, parts], ...]]; decoded: by tokenizer, [tokens, text].
"""

import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, pre_tokenizers as pre

HERE = Path(__file__).parent / "tokenizers"
TEXTS = [
    "", " ", "plain text", "a\r\nb\rc\nd\te", "\u00a0\u2000\u200b\u200d\u2060 x", "\ufeffx\ufeff",
    "\ufb01 \uff21\uff22 \u2460 \u2167 \u2122", "e\u0301 E\u0301 u\u0308 n\u0303o a\u0301\u0323 x\u0301",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f44d\U0001f3fd \U0001f1e9\U0001f1ea", "\u200d",
    "a\u200db", "\u0928\u093f \u0915\u094d\u200d\u0937", "\u1100\u1161\u11a8 \uac01", "\uff76\uff9e \uff5e ~",
    "\u0000a\u0001b\u007f", "\u2028\u2029\u0085", "\u0130\u0131 \u017f\u00df", "A\u030a\u212b\u00c5",
    "\ufffd\u2581_", "\u3000\u3001\u3099", "\r", "\n\n", "\u0e33\u0e4d", "x\u0308\u0308\u0308\u0308",
]
# Groups at the ends of windows of 256, and one that is longer.
LONG = [
    "ab" * 127 + "x\u0301\u0301y" * 3, "a" * 253 + "\U0001f468\u200d\U0001f469" * 4, "\U0001f1e9\U0001f1ea" * 70 + "\U0001f1e9x",
    "a" * 250 + "e" + "\u0301" * 600 + "\ufb01", "\uff76\uff9e" * 200, "\r\n" * 130 + "\n", "-" + "\u0915\u094d\u200d\u0937" * 80,
]
BYTES = [
    "ef bb bf", "ef bb bf 41", "41 ef bb bf", "ff", "ff fe 41", "e4 bd", "e4 bd a0", "e4 bd a0 ff", "f0 9f 98 80",
    "f0 9f 98", "c3 28", "c3 a9 c3 a9", "ed a0 80", "c0 80", "00", "0a 0d", "80 80 80", "f4 90 80 80",
]

SPLITS = [
    pre.ByteLevel(add_prefix_space=False), pre.WhitespaceSplit(), pre.Whitespace(),
    pre.BertPreTokenizer(), pre.Digits(False), pre.Digits(True), pre.Punctuation(),
    pre.Punctuation("contiguous"),
    # As Falcon has it.
    pre.Sequence([
        pre.Punctuation("contiguous"), pre.ByteLevel(add_prefix_space=False), pre.Digits(False),
        pre.Split(Regex("[0-9][0-9][0-9]"), "isolated")]),
]
SPLIT_TEXTS = TEXTS + [
    "a\u0085b \u0085 c", "a\ufeffb \ufeff'd x", "We'll pay $12,345.67 (+8%) -- ok?!", "x\u00b2 \u00bd \u0663\u0664 \u2167",
    "\u0442\u0435\u0441\u0442 na\u00efve_x \u4f60\u597d\u3002", "  two  \n\n three\t", "\u00ab\u00b7\u00bb \u2026 ^`|~<=>+$", "1234567 12 3",
]


def dumped(golden):
    """One case a line."""
    text = json.dumps(golden, separators=(", ", ": "))
    return text.replace("], [", "],\n[") + "\n"


def main():
    t5 = Tokenizer.from_file(str(HERE / "t5/tokenizer.json"))
    normalised = [[text, t5.normalizer.normalize_str(text)] for text in TEXTS + LONG]
    split = []
    for step in SPLITS:
        fields = json.loads(step.__getstate__())
        parts = [[text, [part for part, _ in step.pre_tokenize_str(text)]] for text in SPLIT_TEXTS]
        split.append([fields, parts])
    decoded = {}
    for name in ["llama2", "gemma"]:
        tokenizer = Tokenizer.from_file(str(HERE / name / "tokenizer.json"))
        tokens = [[f"<0x{byte.upper()}>" for byte in line.split()] for line in BYTES]
        tokens += [["a", *own, "b", *own] for own in tokens]
        decoded[name] = [[own, tokenizer.decoder.decode(own)] for own in tokens]
    golden = dict(about=__doc__.splitlines()[0], normalised=normalised, split=split, decoded=decoded)
    (HERE / "steps.json").write_text(dumped(golden))


main()
