"""Writes generation.json: greedy continuations, and beams of T5, of Hugging Face transformers.

    python3 make_generation.py            # all names
    python3 make_generation.py llama t5   # some of them

For each decoder in checkpoints/: three prompts of different lengths, each alone, with 24 new tokens
(GPT-2: up to its 24 places) and the log-probability of each; ends of a text do not count. Prompts
are drawn so that no two logits come nearer than MARGIN. `stopped`: one text with stop ids and a
least number of new tokens. For T5: greedy, and beams with several lengths, penalties and ends.

Angles of `dynamic` depend on texts that a model has seen before: each text gets a new model. Where
`longrope` changes its angles, the kept keys of this version lose the text before: it runs without.
"""

import json
import sys
from pathlib import Path

import torch
import transformers as hf

HERE = Path(__file__).parent
NEW, MARGIN = 24, 2e-3
torch.set_num_threads(1)
hf.logging.set_verbosity_error()
hf.logging.disable_progress_bar()


def rounded(values):
    return [round(float(value), 6) for value in values]


def load(name):
    folder = HERE / "checkpoints" / name
    kind = json.loads((folder / "config.json").read_text())["model_type"]
    auto = hf.AutoModelForSeq2SeqLM if kind == "t5" else hf.AutoModelForCausalLM
    # The eager path of this version adds the biases of ALiBi twice.
    attention = "sdpa" if name == "falcon-alibi" else "eager"
    model = auto.from_pretrained(folder, dtype=torch.float32, attn_implementation=attention)
    model.generation_config = hf.GenerationConfig(
        pad_token_id=0, decoder_start_token_id=0 if kind == "t5" else None)
    return model.eval(), kind


def logits_of(out):
    return torch.stack([step[0] for step in out.logits]).double()


def margin_of(logits):
    top = logits.topk(2, dim=-1).values
    return float((top[:, 0] - top[:, 1]).min())


def greedy(name, model, ids, count, **more):
    more = dict(dict(eos_token_id=None), **more)
    if name == "llama-dynamic":
        model, _ = load(name)
    if name.startswith("phi3-longrope"):
        more["use_cache"] = False
    return model.generate(
        torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long),
        max_new_tokens=count, do_sample=False, return_dict_in_generate=True, output_logits=True,
        **more)


def decoder(model, name, vocabulary):
    generator = torch.Generator().manual_seed(7)
    texts = []
    for length in (3, 7, 14):
        count = min(NEW, 24 - length) if name == "gpt2" else NEW
        for attempt in range(200):
            ids = torch.randint(3, vocabulary, (length,), generator=generator).tolist()
            out = greedy(name, model, ids, count)
            logits = logits_of(out)
            if margin_of(logits) > MARGIN:
                break
        else:
            sys.exit(f"{name}: no prompt of {length} tokens without near ties")
        new = out.sequences[0, length:].tolist()
        logprobs = logits.log_softmax(-1)[range(len(new)), new]
        texts.append(dict(ids=ids, new=new, logprobs=rounded(logprobs)))
    return texts


def stopped(name, model, text):
    """With ends that would come sooner, were they not forbidden at first."""
    ends = [text["new"][2], text["new"][9]]
    count = min(20, len(text["new"]))
    out = greedy(name, model, text["ids"], count, eos_token_id=ends, min_new_tokens=5)
    new = out.sequences[0, len(text["ids"]):].tolist()
    return dict(ids=text["ids"], stopIds=ends, minNewTokens=5, maxNewTokens=count, new=new)


BEAMS = [
    dict(numBeams=4, lengthPenalty=1.0, earlyStopping=False),
    dict(numBeams=3, lengthPenalty=2.0, earlyStopping=True),
    dict(numBeams=5, lengthPenalty=0.0, earlyStopping=True),
    dict(numBeams=4, lengthPenalty=-1.0, earlyStopping=False),
    dict(numBeams=3, lengthPenalty=1.5, earlyStopping="never"),
]


def seq2seq(name, model, vocabulary):
    generator = torch.Generator().manual_seed(11)
    cases = []
    for length in (3, 7, 14):
        ids = torch.randint(3, vocabulary, (length,), generator=generator).tolist()
        out = greedy(name, model, ids, NEW)
        logits = logits_of(out)
        new = out.sequences[0, 1:].tolist()
        logprobs = logits.log_softmax(-1)[range(len(new)), new]
        cases.append(dict(ids=ids, new=new, logprobs=rounded(logprobs), margin=margin_of(logits)))
        # Ends that beams meet soon, late and hardly ever.
        for ends in ([1], [new[3]], [new[0], new[5]], [(new[0] + 1) % vocabulary]):
            for settings in BEAMS:
                out = model.generate(
                    torch.tensor([ids]), max_new_tokens=12, do_sample=False, eos_token_id=ends,
                    num_beams=settings["numBeams"], length_penalty=settings["lengthPenalty"],
                    early_stopping=settings["earlyStopping"],
                    num_return_sequences=settings["numBeams"],
                    return_dict_in_generate=True, output_scores=True)
                # Rows are filled up behind their end.
                rows = [row[1:] for row in out.sequences.tolist()]
                found = []
                for row, score in zip(rows, out.sequences_scores.tolist()):
                    at = next((i for i, one in enumerate(row) if one in ends), None)
                    found.append(dict(new=row if at is None else row[:at + 1],
                                      score=round(score, 6)))
                cases.append(dict(ids=ids, stopIds=ends, maxNewTokens=12, **settings, beams=found))
    return cases


def of(name):
    model, kind = load(name)
    vocabulary = 96
    if kind == "t5":
        return dict(texts=seq2seq(name, model, vocabulary))
    texts = decoder(model, name, vocabulary)
    result = dict(texts=texts, stopped=stopped(name, model, texts[1]))
    if name == "llama-dynamic":
        # Kept keys have the angles of the step that made them.
        whole = [greedy(name, model, one["ids"], NEW, use_cache=False) for one in texts]
        result["uncached"] = [
            one.sequences[0, len(text["ids"]):].tolist() for one, text in zip(whole, texts)]
    return result


def main():
    path = HERE / "generation.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    names = sys.argv[1:] or sorted(one.name for one in (HERE / "checkpoints").iterdir())
    for name in names:
        with torch.no_grad():
            known[name] = of(name)
        print(name, flush=True)
    rows = [f"  {json.dumps(name)}: {json.dumps(known[name])}" for name in sorted(known)]
    path.write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()
