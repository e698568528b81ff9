"""Logits of trained models in transformers beside those of another program: prints one JSON line,
the largest difference by folder.

    python3 trained.py FOLDER [FOLDER ...]

Each folder has a model and logits.json: ids [B][T] (T5: decoderIds), logits [B * T * V].
"""
import json
import sys
from pathlib import Path

import torch
import transformers as hf

hf.logging.set_verbosity_error()
hf.logging.disable_progress_bar()
found = {}
for name in sys.argv[1:]:
    folder = Path(name)
    given = json.loads((folder / 'logits.json').read_text())
    config = json.loads((folder / 'config.json').read_text())
    is_t5 = config['model_type'] == 't5'
    kind = hf.T5ForConditionalGeneration if is_t5 else hf.AutoModelForCausalLM
    attention = 'sdpa' if config.get('alibi') else 'eager'
    model, info = kind.from_pretrained(
        folder, attn_implementation=attention, output_loading_info=True)
    if any(info.values()):
        raise ValueError(f'{name}: {info}')
    inputs = {'input_ids': torch.tensor(given['ids'])}
    if is_t5:
        inputs['decoder_input_ids'] = torch.tensor(given['decoderIds'])
    with torch.no_grad():
        logits = model.eval()(**inputs).logits
    own = torch.tensor(given['logits']).reshape(logits.shape)
    found[folder.name] = (logits - own).abs().max().item()
print(json.dumps(found))
