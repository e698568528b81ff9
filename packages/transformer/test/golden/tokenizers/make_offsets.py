"""Writes offsets.json: where in texts their tokens stand, and the spans of prompts and answers.

    TOKENIZERS_PARALLELISM=false python3 make_offsets.py

Made with tokenizers 0.23.2 and transformers 5.18.0 from the tokenizers beside, of the texts in
golden.json and of prompts below. Offsets are `offsets` of Encoding, with `trim_offsets` off, in
units of UTF-16; null for tokens that the post-processor adds. Spans follow from these by the rule of
return_assistant_tokens_mask (`char_to_token` of the first and of the last character), with all
tokens of the last character where its bytes are several tokens.
"""

import datetime
import json
import os
from pathlib import Path
from unittest import mock

os.environ["TOKENIZERS_PARALLELISM"] = "false"

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast
from transformers.utils import chat_template_utils

HERE = Path(__file__).parent
MORE = [
    "", " ", "  a  b  ", "\ta\n\nb ", "ｆｕｌｌ ﬁ ①½ Å", "e\u0301a\u0308 \u1112\u1161\u11ab \u00e9", "😀é😀 好!!\n",
    "don't 12345 x=3.14;", "日本語 \u200d\u2028 \ufeff", "<0x0A> <unk> ▁x ▁", "foo(bar).\n\n[INST]",
]
# Texts between which tokens lie across the borders in some of the tokenizers.
FORMATS = [
    ("direct", "", ""),
    ("template", "## Query:", " \n## Answer:"),
    ("official-generation", "## Query: ", "\n## Answer:"),
    ("llama-2", "[INST] ", " [/INST]"),
    ("vicuna_v1.1", " USER: ", " ASSISTANT:"),
    ("falcon", "User: ", "\n\nAssistant:"),
]
PROMPTS = ["What is it?", "Say (now).", "日本 😀", "the next", "Assistant"]
ANSWERS = [" It is 42.", "ing", "é😀", ").\n", " 😀"]
NOW = datetime.datetime(2024, 7, 26)


def untrimmed(part):
    if isinstance(part, dict):
        return {key: False if key == "trim_offsets" else untrimmed(one) for key, one in part.items()}
    return [untrimmed(one) for one in part] if isinstance(part, list) else part


def load(name):
    content = json.loads((HERE / name / "tokenizer.json").read_text())
    content["post_processor"] = untrimmed(content["post_processor"])
    return Tokenizer.from_str(json.dumps(content))


def units(text, at):
    return len(text[:at].encode("utf-16-le")) // 2


def offsets(tokenizer, text, add):
    encoded = tokenizer.encode(text, add_special_tokens=add)
    ranges = zip(encoded.offsets, encoded.special_tokens_mask)
    return [None if special else [units(text, at) for at in pair] for pair, special in ranges]


def span(pairs, begin, end):
    own = [at for at, pair in enumerate(pairs) if pair and pair[1] > begin and pair[0] < end]
    return [own[0], own[-1] + 1] if own else None


def spans(tokenizer, text, add, places):
    """places: characters of the instruction, of the end of the prompt, and of the answer."""
    (begin, end), behind, answer = places
    ids = tokenizer.encode(text, add_special_tokens=add).ids
    pairs = tokenizer.encode(text, add_special_tokens=add).offsets
    mask = tokenizer.encode(text, add_special_tokens=add).special_tokens_mask
    pairs = [None if special else pair for pair, special in zip(pairs, mask)]
    given = span(pairs, *answer) if answer else None
    rest = span(pairs, behind, len(text)) if behind < len(text) else None
    last = min([len(ids)] + [one[0] for one in (given, rest) if one])
    first, stop = span(pairs, begin, end)
    return dict(instruction=[first, min(stop, last)], prompt=[0, last], answer=given)


def plain(tokenizer):
    for name, before, behind in FORMATS:
        for at, prompt in enumerate(PROMPTS):
            for answer in [None, ANSWERS[at]]:
                text = before + prompt + behind
                place = len(before)
                end = len(text)
                whole = text + (answer or "")
                places = ((place, place + len(prompt)), end, (end, len(whole)) if answer else None)
                found = spans(tokenizer, whole, True, places)
                yield dict(given=dict(format=name, prompt=prompt, answer=answer), text=whole, **found)


def chats(name, tokenizer, golden):
    transformer = PreTrainedTokenizerFast.from_pretrained(HERE / name)
    for chat in golden[name].get("chats", []):
        messages = chat["messages"]
        if "error" in chat or chat["template"] or chat.get("tools") or chat.get("variables"):
            continue
        answer = messages[-1]["content"].strip() if messages[-1]["role"] == "assistant" else None
        turns = messages[:-1] if answer else messages
        if turns[-1]["role"] != "user":
            continue
        asked = turns[-1]["content"].strip()
        text = transformer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=answer is None)
        begun = transformer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        # Thoughts are written otherwise, or left out, by some templates.
        if answer and (answer not in text or not text.startswith(begun)):
            continue
        at = begun.rindex(asked)
        given = (text.rindex(answer), text.rindex(answer) + len(answer)) if answer else None
        behind = len(begun) if answer else len(text)
        found = spans(tokenizer, text, False, ((at, at + len(asked)), behind, given))
        yield dict(given=dict(messages=messages), text=text, **found)


def lines(items):
    return "[\n" + ",\n".join(json.dumps(one) for one in items) + "\n]"


def main():
    golden = json.loads((HERE / "golden.json").read_text())["tokenizers"]
    parts = []
    for name, own in golden.items():
        tokenizer = load(name)
        texts = [(one["text"], True) for one in own["cases"] if one["addSpecialTokens"]]
        texts += [(text, True) for text in MORE]
        cases = [[text, add, offsets(tokenizer, text, add)] for text, add in texts]
        with mock.patch.object(chat_template_utils, "datetime", mock.Mock(now=lambda: NOW)):
            found = [*plain(tokenizer), *chats(name, tokenizer, golden)]
        parts.append(f'"{name}": {{\n"offsets": {lines(cases)},\n"spans": {lines(found)}\n}}')
    (HERE / "offsets.json").write_text("{\n" + ",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    main()
