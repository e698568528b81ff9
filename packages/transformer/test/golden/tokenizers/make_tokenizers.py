"""Writes NAME/{tokenizer.json, tokenizer_config.json, chat_template.jinja} and golden.json.

    TOKENIZERS_PARALLELISM=false python3 make_tokenizers.py

Made with Python 3.11.7, tokenizers 0.23.2, transformers 5.18.0, jinja2 3.1.6. Small vocabularies,
trained on TEXT below; the pipelines (normalizer, pre-tokenizer, decoder, post-processor) have the
form of the tokenizer.json of the models they are named after. Each run writes the same bytes.

golden.json: {about, now, tokenizers: {NAME: {cases, chats}}}; ids, tokens and decoded texts are
from `tokenizers`, which knows no clean-up of spaces; rendered chats are from apply_chat_template of
`transformers`, with a clock that stands at `now` (for strftime_now).
"""

import datetime
import json
import math
import os
import struct
import unicodedata
from pathlib import Path
from unittest import mock

os.environ["TOKENIZERS_PARALLELISM"] = "false"

from jinja2 import TemplateError
from tokenizers import (
    AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast
from transformers.utils import chat_template_utils

HERE = Path(__file__).parent
NOW = datetime.datetime(2024, 7, 26, 12)
BAR = "\u2581"  # the space of SentencePiece
TEXT = """The model reads a prompt and writes the next token, one token at a time.
A small tokenizer is trained on a small text, so that the files stay small.
We don't know what it's doing, but they're sure that we'll find out; I've read it and I'd agree.
The attention heads of the first layer look at the previous token; the heads of later layers don't.
Representations of the hidden states are read from the residual stream of the transformer.
How do I bake bread at home? Mix flour, water and salt, wait for an hour, then bake the bread.
What is the capital of France? The capital of France is Paris. The capital of Germany is Berlin.
You are a helpful assistant. Answer the question of the user and explain the answer.
In 1969 there were 123 people; in 2024 there were 4567, that is 37.5 times 100 percent of 12,345.
Die Größe der Wörter hängt davon ab, wie häufig sie im Text stehen; schöne Grüße aus München!
Über den Fluss führt eine Brücke, und die Straße dahinter ist für Fußgänger gesperrt.
Können wir das später prüfen? Natürlich, dafür haben wir genügend Zeit. Das ist nicht schwer.
Le café est fermé, mais l'été est déjà là. El niño está en la mañana.
你好，世界！我们在学习语言模型。这是一个小的例子，语言模型读文字。
今天天气很好，我们去公园。你好吗？我很好，谢谢。模型很小，例子也很小。
Emoji: 😀 😀 🎉 🎉 👍 😀🎉 👍👍 great work 🎉
def add(a, b):
    return a + b

def main():
    for i in range(10):
        if i % 2 == 0:
            print(i, add(i, 1))

const values = [1, 2, 3].map((x) => x * 2);
function f(x) {
    return x === null ? 0 : x + 1;
}
a  b   c    d     e        f                g
\tone tab\t\ttwo tabs\r\nand a line end


The end of the text, the end of the file, and the end of the example.
"""
LETTERS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|" + LETTERS + r"|\p{N}{1,3}" + REST
QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|" + LETTERS + r"|\p{N}" + REST
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
TEKKEN = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*|\p{{N}}"
    + REST.replace(r"[\r\n]*", r"[\r\n/]*", 1)
)
BYTES = [f"<0x{i:02X}>" for i in range(256)]


# Tokenizers


def special(*contents, **flags):
    return [AddedToken(c, normalized=False, special=True, **flags) for c in contents]


def trained_bpe(size, pre, specials=(), characters=None):
    """(vocab, merges) of a BPE trained on TEXT; the special tokens have the first ids."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre
    text, letters = TEXT, pre_tokenizers.ByteLevel.alphabet()
    if characters:  # the most frequent ones
        text = TEXT.replace(" ", BAR)
        letters = sorted(set(text), key=lambda c: (-text.count(c), c))[:characters]
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(specials), initial_alphabet=letters,
        limit_alphabet=len(letters), show_progress=False)
    tokenizer.train_from_iterator([text], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]


def byte_level_bpe(
        size, split=None, normalizer=None, whole_words=(), specials=(), pre=None, **model):
    """Like GPT-2; `whole_words` are in the vocabulary, but no merges lead to them."""
    own = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split is None)
    if split:
        own = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(split), "isolated"), own])
    pre = pre or own
    vocab, merges = trained_bpe(size, pre, specials)
    for word in whole_words:
        vocab[word] = len(vocab)
    tokenizer = Tokenizer(models.BPE(vocab, merges, **model))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def sentencepiece_bpe(size, specials, strip, plain=()):
    """Like Llama 2: unseen characters become bytes; merges stay within a word or a run of spaces"""
    words = pre_tokenizers.Split(Regex(f"{BAR}+[^{BAR}\n]*|[^{BAR}\n]+|\n+"), "isolated")
    vocab, merges = trained_bpe(size, words, [*specials, *BYTES], characters=90)
    tokenizer = Tokenizer(
        models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    steps = [decoders.Replace(BAR, " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*steps, decoders.Strip(" ", 1, 0)] if strip else steps)
    tokenizer.normalizer = normalizers.Replace(" ", BAR)
    tokenizer.add_special_tokens(special(*(s for s in specials if s not in plain)))
    return tokenizer


def begin_with(tokenizer, token):
    return processors.TemplateProcessing(
        single=f"{token}:0 $A:0", pair=f"{token}:0 $A:0 {token}:1 $B:1",
        special_tokens=[(token, tokenizer.token_to_id(token))])


def gpt2():
    tokenizer = byte_level_bpe(480, whole_words=["<|endoftext|>"])
    tokenizer.add_special_tokens(special("<|endoftext|>"))
    return tokenizer


def llama2():
    tokenizer = sentencepiece_bpe(620, ["<unk>", "<s>", "</s>"], strip=True)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(BAR), tokenizer.normalizer])
    tokenizer.post_processor = begin_with(tokenizer, "<s>")
    return tokenizer


def llama3():
    tokenizer = byte_level_bpe(500, GPT4, whole_words=["\u0120unmergeable"], ignore_merges=True)
    tokenizer.add_special_tokens(special(
        "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>",
        "<|eot_id|>"))
    tokenizer.post_processor = processors.Sequence(
        [tokenizer.post_processor, begin_with(tokenizer, "<|begin_of_text|>")])
    return tokenizer


def qwen2():
    tokenizer = byte_level_bpe(
        500, QWEN, normalizers.NFC(), continuing_subword_prefix="", end_of_word_suffix="")
    tokenizer.add_special_tokens(special("<|endoftext|>", "<|im_start|>", "<|im_end|>"))
    plain = ["<tool_call>", "</tool_call>"]  # added, but not special: decoding keeps them
    tokenizer.add_tokens([AddedToken(content, normalized=False) for content in plain])
    return tokenizer


def gemma():
    specials = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"]
    tokenizer = sentencepiece_bpe(640, specials, strip=False)
    tokenizer.add_tokens([AddedToken("\n\n", normalized=False)])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.post_processor = begin_with(tokenizer, "<bos>")
    return tokenizer


def falcon():
    """Punctuation first, digits by three; nothing is added to a text."""
    names = [">>TITLE<<", ">>ABSTRACT<<", ">>QUESTION<<", ">>ANSWER<<", "<|endoftext|>"]
    tokenizer = byte_level_bpe(490, specials=names, pre=pre_tokenizers.Sequence([
        pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False),
        pre_tokenizers.Digits(individual_digits=False),
        pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")]))
    tokenizer.add_special_tokens(special(*names))
    tokenizer.post_processor = processors.Sequence([])
    return tokenizer


def gpt_neox():
    """Runs of spaces are added tokens, looked for in the normalised text."""
    names = ["<|endoftext|>", "<|padding|>"]
    tokenizer = byte_level_bpe(480, normalizer=normalizers.NFC(), specials=names)
    tokenizer.add_special_tokens(special(*names))
    tokenizer.add_tokens([AddedToken(" " * n, normalized=True) for n in range(8, 1, -1)])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    return tokenizer


def phi3():
    """Llama 2's, but for what is added: tokens that take the spaces behind them with them."""
    names = ["<unk>", "<s>", "</s>"]
    tokenizer = sentencepiece_bpe(600, names, strip=True, plain=["</s>"])
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(BAR), tokenizer.normalizer])
    tokenizer.add_tokens([AddedToken("</s>", rstrip=True, normalized=False)])
    tokenizer.add_special_tokens(special("<|endoftext|>"))
    tokenizer.add_special_tokens(special(
        "<|assistant|>", "<|placeholder1|>", "<|system|>", "<|end|>", "<|user|>", rstrip=True))
    tokenizer.post_processor = processors.TemplateProcessing(single="$A:0", pair="$A:0 $B:1")
    return tokenizer


def mistral():
    """v0.1: Llama 2's with its own template of conversations."""
    return llama2()


def mistral_v3():
    """v0.3: a mark before the first word alone, and control tokens."""
    names = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]",
             "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]"]
    tokenizer = sentencepiece_bpe(610, names, strip=True)
    tokenizer.normalizer = normalizers.Sequence([])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.post_processor = begin_with(tokenizer, "<s>")
    return tokenizer


def mistral_tekken():
    """Nemo and later: bytes, words by their letters' case, special tokens first."""
    names = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "<pad>", "[TOOL_CALLS]"]
    tokenizer = byte_level_bpe(
        500, TEKKEN, whole_words=["\u0120unmergeable"], specials=names, ignore_merges=True)
    tokenizer.add_special_tokens(special(*names))
    tokenizer.post_processor = begin_with(tokenizer, "<s>")
    return tokenizer


def qwen3():
    tokenizer = qwen2()
    plain = ["<tool_response>", "</tool_response>", "<think>", "</think>"]
    tokenizer.add_tokens([AddedToken(content, normalized=False) for content in plain])
    return tokenizer


def gemma3():
    specials = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>",
                "<start_of_image>", "<end_of_image>"]
    tokenizer = sentencepiece_bpe(640, specials, strip=False)
    plain = ["\n\n", "\n\n\n", "\n\n\n\n", BAR * 2, BAR * 3, "<table>", "</table>"]
    tokenizer.add_tokens([AddedToken(content, normalized=False) for content in plain])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.post_processor = begin_with(tokenizer, "<bos>")
    return tokenizer


def t5():
    """The pieces are of a BPE, the scores from counts: UnigramTrainer differs from run to run."""
    specials = ["<pad>", "</s>", "<unk>"]
    vocab, _ = trained_bpe(320, pre_tokenizers.Metaspace(), characters=90)
    text = TEXT.replace(" ", BAR)
    pieces = sorted((-text.count(p) * len(p) ** 0.5, p) for p in vocab)
    scores = [(p, round(math.log(-n / len(text)) - 1e-3 * i ** 0.5, 6))  # no two are the same
              for i, (n, p) in enumerate(pieces) if n]
    tokenizer = Tokenizer(models.Unigram([*((s, 0.0) for s in specials), *scores], 2, False))
    tokenizer.normalizer = normalizers.Precompiled(charsmap())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.add_special_tokens(special(*specials, "<extra_id_1>", "<extra_id_0>"))
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A:0 </s>:0", pair="$A:0 </s>:0 $B:0 </s>:0", special_tokens=[("</s>", 1)])
    return tokenizer


def charsmap():
    """The map of SentencePiece's nmt_nfkc for a few blocks: a double array of Darts, then texts."""
    blocks = [(0xA0, 0x17F), (0x2000, 0x206F), (0x2100, 0x218B), (0x2460, 0x24FF),
              (0x3000, 0x3000), (0xFB00, 0xFB06), (0xFF01, 0xFF9F)]
    texts = [chr(c) for a, b in blocks for c in range(a, b + 1)]
    texts += [unicodedata.normalize("NFD", chr(c)) for c in range(0xC0, 0x17F)]
    rules = {text: unicodedata.normalize("NFKC", text) for text in texts}
    rules |= {chr(c): "" for c in [*range(1, 32), 0x7F, 0x8F, 0x9F]}
    spaces = "\t\n\f\r\u1680\u200b\u200c\u200e\u200f\u2028\u2029\u2581\ufeff\ufffd"
    rules |= dict.fromkeys(spaces, " ") | {"\uff5e": "\uff5e"}
    texts, root = bytearray(), {}
    for key, text in sorted(rules.items()):
        if key != text:
            node = root
            for byte in key.encode():
                node = node.setdefault(byte, {})
            node[0] = len(texts)  # a leaf has the label 0
            texts += text.encode() + b"\0"
    units, used, bases, todo = {}, {0}, set(), [(0, 0, root)]
    while todo:
        at, label, node = todo.pop()
        base = next(b for b in range(1, 1 << 20)
                    if b not in bases and not any(b ^ byte in used for byte in node))
        bases.add(base)
        used |= {base ^ byte for byte in node}
        units[at] = (base ^ at) << 10 | (0 in node) << 8 | label
        for byte, child in node.items():
            if byte == 0:
                units[base] = 1 << 31 | child
            else:
                todo.append((base ^ byte, byte, child))
    count = (max(units) // 256 + 1) * 256
    array = struct.pack(f"<{count}I", *(units.get(i, 0) for i in range(count)))
    return struct.pack("<I", len(array)) + array + bytes(texts)


# Chat templates

LLAMA2_CHAT = (
    "{% if messages[0]['role'] == 'system' %}"
    "{% set system = '<<SYS>>\\n' + messages[0]['content'].strip() + '\\n<</SYS>>\\n\\n' %}"
    "{% set turns = messages[1:] %}"
    "{% else %}{% set system = '' %}{% set turns = messages %}{% endif %}"
    "{% for turn in turns %}"
    "{% if (turn['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('The roles must alternate: user, assistant, user, ...') }}{% endif %}"
    "{% if turn['role'] == 'user' %}"
    "{{ bos_token + '[INST] ' + (system if loop.first else '') + turn['content'].strip()"
    " + ' [/INST]' }}"
    "{% elif turn['role'] == 'assistant' %}"
    "{{ ' ' + turn['content'].strip() + ' ' + eos_token }}"
    "{% else %}{{ raise_exception('Only system, user and assistant are roles') }}{% endif %}"
    "{% endfor %}"
)
LLAMA3_CHAT = """\
{{- bos_token }}
{%- if date_string is not defined %}
    {%- set date_string = strftime_now("%d %b %Y") %}
{%- endif %}
{%- if messages[0].role == "system" %}
    {%- set system = messages[0].content | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system = "" %}
{%- endif %}
{#- The system turn is always there, with the date #}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is none %}
    {%- set environment = "" %}
{%- else %}
    {%- set environment = "Environment: tools\\n" %}
{%- endif %}
{{- environment + "Today is " + date_string + ".\\n\\n" + system + "<|eot_id|>" }}
{%- for message in messages %}
    {%- if message.role not in ["user", "assistant"] %}
        {{- raise_exception("Unknown role: " + message.role) }}
    {%- endif %}
    {{- "<|start_header_id|>" + message.role + "<|end_header_id|>\\n\\n" }}
    {%- if loop.first and not tools is none %}
        {%- for tool in tools %}
            {{- tool | tojson(indent=4) }}
            {{- "\\n\\n" }}
        {%- endfor %}
    {%- endif %}
    {{- message.content | trim + "<|eot_id|>" }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- "<|start_header_id|>assistant<|end_header_id|>\\n\\n" }}
{%- endif %}
"""
CHATML = """\
{% if messages[0]['role'] != 'system' %}
<|im_start|>system
You are a helpful assistant.<|im_end|>
{% endif %}
{% for message in messages %}
{% if message['role'] not in ['system', 'user', 'assistant'] %}
{{ raise_exception('Unexpected role: ' ~ message['role']) }}
{% endif %}
{{ '<|im_start|>' ~ message['role'] ~ '\\n' ~ message['content'] ~ '<|im_end|>' }}
{% endfor %}
{% if add_generation_prompt %}
<|im_start|>assistant
{% endif %}
"""
CHATML_TOOLS = """\
{%- if tools %}
    {{- '<|im_start|>system\\nTools:' }}
    {%- for tool in tools %}{{- '\\n' + (tool | tojson) }}{%- endfor %}
    {{- '<|im_end|>\\n' }}
{%- endif %}
""" + CHATML.replace("{% if messages[0]['role'] != 'system' %}", "{% if false %}")
GEMMA_CHAT = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant') }}{% endif %}"
    "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
)
FALCON_CHAT = (
    "{% for message in messages %}{% if not loop.first %}{{ '\\n' }}{% endif %}"
    "{% set name = {'system': 'System', 'user': 'User', 'assistant': 'Falcon'}[message['role']] %}"
    "{% if name is not defined %}{{ raise_exception('Unknown role: ' + message['role']) }}"
    "{% endif %}{{ name + ': ' + message['content'] | trim }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '\\nFalcon:' }}{% endif %}"
)
PHI3_CHAT = (
    "{% for message in messages %}"
    "{% if message['role'] not in ['system', 'user', 'assistant'] %}"
    "{{ raise_exception('Unknown role: ' + message['role']) }}{% endif %}"
    "{{ '<|' + message['role'] + '|>\\n' + message['content'] + '<|end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}"
)
MISTRAL_CHAT = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must be user, assistant, user, ...') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token + ' ' }}"
    "{% else %}{{ raise_exception('Only user and assistant are roles') }}{% endif %}{% endfor %}"
)
MISTRAL_V3_CHAT = """\
{%- if messages[0]["role"] == "system" %}
    {%- set system = messages[0]["content"] %}
    {%- set turns = messages[1:] %}
{%- else %}
    {%- set turns = messages %}
{%- endif %}
{%- if tools is not defined %}{%- set tools = none %}{%- endif %}
{%- set asked = turns | selectattr("role", "equalto", "user") | list %}
{%- set count = namespace(turns=0) %}
{%- for turn in turns %}
    {%- if (turn["role"] == "user") != (count.turns % 2 == 0) %}
        {{- raise_exception("After the system message roles must alternate") }}
    {%- endif %}
    {%- set count.turns = count.turns + 1 %}
{%- endfor %}
{{- bos_token }}
{%- for turn in turns %}
    {%- if turn["role"] == "user" %}
        {%- if tools is not none and turn == asked[-1] %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}
                {{- '{"name": "' + tool.function.name + '", "fields": [' }}
                {%- for key, value in tool.function.parameters.properties.items() %}
                    {{- '"' + key + '"' if loop.last else '"' + key + '", ' }}
                {%- endfor %}
                {{- "]}" if loop.last else "]}, " }}
            {%- endfor %}
            {{- "][/AVAILABLE_TOOLS]" }}
        {%- endif %}
        {%- if loop.last and system is defined %}
            {{- "[INST] " + system + "\\n\\n" + turn["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + turn["content"] + "[/INST]" }}
        {%- endif %}
    {%- else %}
        {{- " " + turn["content"] | trim + eos_token }}
    {%- endif %}
{%- endfor %}
"""
QWEN3_CHAT = """\
{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
    {{- "Tools:\\n<tools>" }}
    {%- for tool in tools %}{{- "\\n" }}{{- tool | tojson }}{%- endfor %}
    {{- "\\n</tools><|im_end|>\\n" }}
{%- elif messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- set ns = namespace(is_open=true, last=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.is_open and message.role == "user" and message.content is string
            and not (message.content.startswith('<tool_response>')
            and message.content.endswith('</tool_response>')) %}
        {%- set ns.is_open = false %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if message.role == "user" or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set thought = '' %}
        {%- if '</think>' in content %}
            {%- set thought = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1] %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.index0 > ns.last and (loop.last or thought) %}
            {{- '<|im_start|>assistant\\n<think>\\n' + thought.strip('\\n') + '\\n</think>\\n\\n' }}
            {{- content.lstrip('\\n') }}
        {%- else %}
            {{- '<|im_start|>assistant\\n' + content }}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role != "system" %}
        {{- raise_exception('Unexpected role: ' + message.role) }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
"""
GEMMA3_CHAT = """\
{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set before = messages[0]['content'] + '\\n\\n' -%}
    {%- else -%}
        {%- set before = messages[0]['content'][0]['text'] + '\\n\\n' -%}
    {%- endif -%}
    {%- set turns = messages[1:] -%}
{%- else -%}
    {%- set before = "" -%}
    {%- set turns = messages -%}
{%- endif -%}
{%- for turn in turns -%}
    {%- if (turn['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Turns must be of user and assistant by turns") }}
    {%- endif -%}
    {%- set role = "model" if turn['role'] == 'assistant' else turn['role'] -%}
    {{ '<start_of_turn>' + role + '\\n' + (before if loop.first else "") }}
    {%- if turn['content'] is string -%}
        {{ turn['content'] | trim }}
    {%- elif turn['content'] is iterable -%}
        {%- for item in turn['content'] -%}{{ item['text'] | trim }}{%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model\\n'}}
{%- endif -%}
"""


# Configs


def token_object(content):
    flags = dict(lstrip=False, normalized=False, rstrip=False, single_word=False)
    return {"__type": "AddedToken", "content": content, **flags}


CONFIGS = {
    "gpt2": dict(
        add_prefix_space=False, bos_token="<|endoftext|>", eos_token="<|endoftext|>",
        model_max_length=1024, tokenizer_class="GPT2Tokenizer", unk_token="<|endoftext|>"),
    "llama2": dict(
        add_bos_token=True, add_eos_token=False, bos_token=token_object("<s>"),
        chat_template=LLAMA2_CHAT, clean_up_tokenization_spaces=False,
        eos_token=token_object("</s>"), legacy=False, model_max_length=4096, pad_token=None,
        padding_side="right", tokenizer_class="LlamaTokenizer",
        unk_token=token_object("<unk>")),
    "llama3": dict(
        bos_token="<|begin_of_text|>", clean_up_tokenization_spaces=True, eos_token="<|eot_id|>",
        model_input_names=["input_ids", "attention_mask"], model_max_length=131072,
        tokenizer_class="PreTrainedTokenizerFast"),
    "qwen2": dict(
        add_prefix_space=False, additional_special_tokens=["<|im_start|>", "<|im_end|>"],
        bos_token=None, clean_up_tokenization_spaces=False, eos_token="<|im_end|>",
        chat_template=[{"name": "default", "template": CHATML},
                       {"name": "tool_use", "template": CHATML_TOOLS}],
        errors="replace", model_max_length=32768, pad_token="<|endoftext|>",
        split_special_tokens=False, tokenizer_class="Qwen2Tokenizer", unk_token=None),
    "gemma": dict(
        add_bos_token=True, add_eos_token=False, bos_token=token_object("<bos>"),
        chat_template=GEMMA_CHAT, clean_up_tokenization_spaces=False,
        eos_token=token_object("<eos>"), pad_token=token_object("<pad>"),
        padding_side="left", tokenizer_class="GemmaTokenizer",
        unk_token=token_object("<unk>")),
    "falcon": dict(
        add_prefix_space=False, chat_template=FALCON_CHAT, eos_token="<|endoftext|>",
        clean_up_tokenization_spaces=True, model_max_length=2048,
        model_input_names=["input_ids", "attention_mask"],
        tokenizer_class="PreTrainedTokenizerFast"),
    "gpt-neox": dict(
        add_prefix_space=False, bos_token="<|endoftext|>", eos_token="<|endoftext|>",
        clean_up_tokenization_spaces=True, model_max_length=2048, pad_token="<|padding|>",
        tokenizer_class="GPTNeoXTokenizer", unk_token="<|endoftext|>"),
    "phi3": dict(
        add_bos_token=False, add_eos_token=False, bos_token="<s>", chat_template=PHI3_CHAT,
        clean_up_tokenization_spaces=False, eos_token="<|endoftext|>", legacy=False,
        model_max_length=4096, pad_token="<|endoftext|>", padding_side="left",
        tokenizer_class="LlamaTokenizer", unk_token="<unk>"),
    "mistral": dict(
        add_bos_token=True, add_eos_token=False, bos_token="<s>", chat_template=MISTRAL_CHAT,
        clean_up_tokenization_spaces=False, eos_token="</s>", legacy=True, pad_token=None,
        tokenizer_class="LlamaTokenizer", unk_token="<unk>"),
    "mistral-v3": dict(
        add_bos_token=True, add_eos_token=False, add_prefix_space=None, bos_token="<s>",
        chat_template=MISTRAL_V3_CHAT, clean_up_tokenization_spaces=False, eos_token="</s>",
        legacy=False, pad_token=None, tokenizer_class="LlamaTokenizer", unk_token="<unk>"),
    "mistral-tekken": dict(
        bos_token="<s>", chat_template=MISTRAL_V3_CHAT, clean_up_tokenization_spaces=False,
        eos_token="</s>", model_max_length=1024000, pad_token="<pad>",
        tokenizer_class="PreTrainedTokenizerFast", unk_token="<unk>"),
    "qwen3": dict(
        add_bos_token=False, add_prefix_space=False,
        additional_special_tokens=["<|im_start|>", "<|im_end|>"], bos_token=None,
        chat_template=QWEN3_CHAT, clean_up_tokenization_spaces=False, eos_token="<|im_end|>",
        errors="replace", model_max_length=131072, pad_token="<|endoftext|>",
        split_special_tokens=False, tokenizer_class="Qwen2Tokenizer", unk_token=None),
    "gemma3": dict(
        add_bos_token=True, add_eos_token=False, bos_token="<bos>", boi_token="<start_of_image>",
        chat_template=GEMMA3_CHAT, clean_up_tokenization_spaces=False, eos_token="<eos>",
        eoi_token="<end_of_image>", model_max_length=131072, pad_token="<pad>",
        padding_side="left", tokenizer_class="GemmaTokenizer", unk_token="<unk>"),
    "t5": dict(
        additional_special_tokens=["<extra_id_0>", "<extra_id_1>"], eos_token="</s>",
        clean_up_tokenization_spaces=False, extra_ids=2, model_max_length=512, pad_token="<pad>",
        tokenizer_class="T5Tokenizer", unk_token="<unk>"),
}


def write(name):
    tokenizer = globals()[name.replace("-", "_")]()
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    data = json.loads(tokenizer.to_str())
    if name in ("falcon", "mistral-v3"):  # as published
        data["post_processor" if name == "falcon" else "normalizer"] = None
    if name in ("gpt2", "llama2", "falcon", "gpt-neox"):  # the older form of the merges
        data["model"]["merges"] = [" ".join(pair) for pair in data["model"]["merges"]]
    if name == "t5":  # the older form of Metaspace
        old = dict(type="Metaspace", replacement=BAR, add_prefix_space=True)
        data["pre_tokenizer"]["pretokenizers"][1] = data["decoder"] = old
    config = dict(CONFIGS[name])
    if name != "gpt2":
        config["added_tokens_decoder"] = {
            str(t["id"]): {k: v for k, v in t.items() if k != "id"} for t in data["added_tokens"]}
    save_json(folder / "tokenizer.json", json.dumps(data, ensure_ascii=False))
    save_json(folder / "tokenizer_config.json", json.dumps(config, indent=2, ensure_ascii=False))
    if name == "llama3":
        (folder / "chat_template.jinja").write_text(LLAMA3_CHAT)


def save_json(path, text):
    path.write_text(text + "\n", encoding="utf-8")


# Golden values

TEXTS = [
    "The capital of France is Paris.",
    "",
    " ",
    " leading space",
    "trailing space ",
    "two  three   four    spaces     ",
    "\tone tab\t\ttwo tabs\n\nthree lines\r\nend\n",
    "   \n\n\n   indented",
    "caf\u00e9 Gr\u00f6\u00dfe \u00dcber",
    "cafe\u0301 Gro\u0308\u00dfe U\u0308ber",
    "\ufb01ne \u2460 \uff21\uff22\uff23 x\u00b2 a\u00a0b\u3000c \u2122",
    "\u4f60\u597d\uff0c\u4e16\u754c\uff01\u8bed\u8a00\u6a21\u578b",
    "\u9f8d \u9b31 \ud55c\uad6d\uc5b4 \u0440\u0443\u0441\u0441\u043a\u0438\u0439 \u03b1\u03b2",
    "\U0001f600\U0001f389 \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd"
    " \U0001f1e9\U0001f1ea",
    "12345 3.14 2024-07-26 1,000,000 7",
    "We don't know, it's I'VE they'll \u2019s 's",
    "antidisestablishmentarianism unmergeable",
    "def f(x):\n    if x > 0:\n        return x ** 2\n\treturn [x, {'a': 1}]\n",
    "hello , world ! do n't . n't 's",
    f"a{BAR}b {BAR} c\u0120d",
    "bell \x07 nul-free \x1b[0m \u200bzero width\ufeff",
    "a\n\n\n\nb  \n c",
    "<s> <bos> <unk> [INST] <0x41> <|im_start|",
]
# Per name, a text that has special tokens of its own, glued to words and between spaces
SPECIAL = {
    "gpt2": "one<|endoftext|>two <|endoftext|> three <|ENDOFTEXT|>",
    "llama2": "one<s>two </s> three</s>\n<unk>",
    "llama3": "one<|eot_id|>two <|begin_of_text|> three<|end_header_id|>\n\nfour",
    "qwen2": "one<|im_end|>two <|im_start|> three\n<tool_call>{}</tool_call> four",
    "gemma": "one<end_of_turn>two <start_of_turn> three<bos>\n\n<unk>",
    "falcon": "one<|endoftext|>two >>TITLE<< three>>ANSWER<<\n123456 1234",
    "gpt-neox": "one<|endoftext|>two <|padding|> three   four          five\n    six",
    "phi3": "one<|end|>  two <|user|>\n three </s>  \n\n<|assistant|> four<s> <|endoftext|> x",
    "mistral": "one<s>two </s> three</s>\n<unk>",
    "mistral-v3": "one[INST]two [/INST] three</s>\n[TOOL_CALLS] [{}]<s> four",
    "mistral-tekken": "one[INST]two [/INST] three</s>\ncamelCaseWord HTMLParser a/b//\n<s> four",
    "qwen3": "one<|im_end|>two <think>\n\n</think> three\n<tool_response>{}</tool_response> four",
    "gemma3": "one<end_of_turn>two\n\n\nthree <table>\n\n</table> \u2581\u2581four<bos><start_of_image>",
    "t5": "one<extra_id_0>two <extra_id_1> three </s>. <unk> <pad>",
}
BOTH = ["The capital of France is Paris.", "", " ", " leading space"]


def case(tokenizer, text, add):
    encoded = tokenizer.encode(text, add_special_tokens=add)
    return dict(
        text=text, addSpecialTokens=add, ids=encoded.ids,
        tokens=[tokenizer.id_to_token(id) for id in encoded.ids],
        decoded=tokenizer.decode(encoded.ids, skip_special_tokens=True),
        decodedWithSpecial=tokenizer.decode(encoded.ids, skip_special_tokens=False))


def turns(*contents, system=None, roles=("user", "assistant")):
    first = [dict(role="system", content=system)] if system is not None else []
    return first + [dict(role=roles[i % 2], content=c) for i, c in enumerate(contents)]


SINGLE = turns("  What is the capital of France? \n")
SYSTEM = turns("你好, how do I bake bread?", system="You are a helpful assistant.\nBe brief.")
MULTI = turns("Hi!", "Hello 😀 it's \"me\" & <you>.", "Say:\n\n  x  ")
THOUGHT = turns("Hi!", "<think>\nThey said\n\nHi.\n</think>\n\nHello <there>.\n")
REFUSED = turns("Hi!", "I am the critic.", roles=("user", "critic"))
TWICE = turns("Hi!", "Hi again!", roles=("user", "user"))
TOOL = {"type": "function", "function": {
    "name": "add", "description": "Adds \"a\" & b <é>", "parameters": {
        "type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]}}}
CHATS = [
    dict(messages=SINGLE, addGenerationPrompt=True),
    dict(messages=SINGLE, addGenerationPrompt=False),
    dict(messages=SYSTEM, addGenerationPrompt=True),
    dict(messages=MULTI, addGenerationPrompt=True),
    dict(messages=MULTI[:2], addGenerationPrompt=False),
    dict(messages=REFUSED, addGenerationPrompt=True),
    dict(messages=TWICE, addGenerationPrompt=True),
]
MORE_CHATS = {
    "llama3": [
        dict(messages=SINGLE, addGenerationPrompt=True, variables={"date_string": "1 Jan 2000"}),
        dict(messages=SYSTEM, addGenerationPrompt=True, tools=[TOOL]),
    ],
    "qwen2": [
        dict(messages=SYSTEM, addGenerationPrompt=True, template="default"),
        dict(messages=MULTI, addGenerationPrompt=True, template="tool_use"),
        dict(messages=SINGLE, addGenerationPrompt=True, template="tool_use", tools=[TOOL]),
    ],
    "mistral-v3": [dict(messages=MULTI, addGenerationPrompt=True, tools=[TOOL])],
    "qwen3": [
        dict(messages=THOUGHT, addGenerationPrompt=False),
        dict(messages=[*THOUGHT, *MULTI], addGenerationPrompt=True),
        dict(messages=SINGLE, addGenerationPrompt=True, variables={"enable_thinking": False}),
        dict(messages=SYSTEM, addGenerationPrompt=True, tools=[TOOL]),
    ],
}


def chat(transformer, tokenizer, messages, addGenerationPrompt, template=None, **more):
    out = dict(
        messages=messages, addGenerationPrompt=addGenerationPrompt, template=template, **more)
    options = dict(
        add_generation_prompt=addGenerationPrompt, chat_template=template, tools=more.get("tools"),
        **more.get("variables", {}))
    try:
        rendered = transformer.apply_chat_template(messages, tokenize=False, **options)
    except TemplateError as error:
        return {**out, "error": str(error)}
    ids = tokenizer.encode(rendered, add_special_tokens=False).ids
    assert transformer.apply_chat_template(messages, return_dict=False, **options) == ids
    return {**out, "rendered": rendered, "ids": ids}


def golden(name):
    tokenizer = Tokenizer.from_file(str(HERE / name / "tokenizer.json"))
    transformer = PreTrainedTokenizerFast.from_pretrained(HERE / name)
    cases = [case(tokenizer, text, True) for text in [*TEXTS, SPECIAL[name]]]
    cases += [case(tokenizer, text, False) for text in [*BOTH, SPECIAL[name]]]
    chats = [] if name in ("gpt2", "gpt-neox", "t5") else [*CHATS, *MORE_CHATS.get(name, [])]
    return dict(cases=cases, chats=[chat(transformer, tokenizer, **c) for c in chats])


ABOUT = (
    "Written by make_tokenizers.py. strftime_now formats `now`, a fixed local time without zone; "
    "`variables` of a chat, where there, are passed to the template by their names, and `tools` as "
    "tools (else null). `template` null is the default. `error` is the message of raise_exception."
)


def lines(items):
    """One item a line; ASCII only, so that no editor changes a composed or decomposed letter"""
    return "[\n" + ",\n".join(json.dumps(i) for i in items) + "\n]"


def main():
    parts = []
    for name in CONFIGS:
        write(name)
        with mock.patch.object(chat_template_utils, "datetime", mock.Mock(now=lambda: NOW)):
            made = golden(name)
        fields = ",\n".join(f'"{key}": {lines(made[key])}' for key in made)
        parts.append(f'"{name}": {{\n{fields}\n}}')
    head = f'"about": {json.dumps(ABOUT)},\n"now": "{NOW.isoformat()}",\n'
    save_json(HERE / "golden.json", f'{{\n{head}"tokenizers": {{\n' + ",\n".join(parts) + "\n}\n}")
    json.loads((HERE / "golden.json").read_text())


if __name__ == "__main__":
    main()
