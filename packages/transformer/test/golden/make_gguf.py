"""Writes gguf/: GGUF files as the package gguf 0.19.0 writes them, and the numbers that it reads.

    pip install gguf==0.19.0 safetensors && python3 make_gguf.py

- types.gguf, types.safetensors: every type of tensors that we read, of random blocks where the
  package has no way to make them of numbers, with the numbers that it makes of them; keys of every
  type of values.
- written.gguf: keys and tensors that gguf.test.ts writes, too, byte for byte.
- split-0000N-of-00003.gguf, split.safetensors: five tensors in three files.
- q8_0.safetensors: numbers, and the blocks of Q8_0 that the package makes of them.
"""

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFValueType as Value
from gguf import GGUFWriter, quants
from gguf.constants import GGML_QUANT_SIZES
from safetensors.numpy import save_file

folder = Path(__file__).parent / "gguf"
ROWS, COLUMNS = 3, 512
QUANTISED = [
    "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]
# Where the scales of a block are, which must be finite in float16.
SCALES = {
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}


def random_blocks(random, name):
    """Rows of random bytes with scales of a usual size, one of them negative, one subnormal."""
    length, size = GGML_QUANT_SIZES[Type[name]]
    blocks = random.integers(0, 256, (ROWS * COLUMNS // length, size), dtype=np.uint8)
    for at in SCALES[name]:
        scales = random.normal(0, 0.02, len(blocks)).astype(np.float16)
        scales[0], scales[1] = -0.75, 3e-6
        blocks[:, at : at + 2] = scales.view(np.uint8).reshape(-1, 2)
    return blocks.reshape(ROWS, -1)


def write_types():
    random = np.random.default_rng(20261127)
    writer = GGUFWriter(folder / "types.gguf", "llama")
    for kind, value in [
        ("uint8", 200), ("int8", -100), ("uint16", 60000), ("int16", -30000),
        ("uint32", 4000000000), ("int32", -2000000000), ("float32", 0.1),
        ("uint64", 2**63 + 1), ("int64", -(2**62)), ("float64", 0.1), ("bool", True),
    ]:
        getattr(writer, f"add_{kind}")(f"of.{kind}", value)
    writer.add_string("of.text", "ünï 你好 \n")
    writer.add_array("of.numbers", [1, -2, 3])
    writer.add_array("of.reals", [0.5, -0.25])
    writer.add_array("of.flags", [True, False])
    writer.add_array("of.texts", ["a", "", "é"])
    writer.add_key_value("of.lists", [[1, 2], [3]], Value.ARRAY, Value.ARRAY)
    expected = {}
    floats = random.normal(0, 1, (ROWS, COLUMNS)).astype(np.float32)
    floats[0, :4] = [0, -0.0, 65504, 6e-8]
    for name, values in [("F32", floats), ("F16", floats.astype(np.float16))]:
        writer.add_tensor(f"as.{name}", values)
        expected[name] = values.astype(np.float32)
    for name in ["BF16", *QUANTISED]:
        own = random_blocks(random, name) if name in SCALES else quants.quantize(floats, Type[name])
        writer.add_tensor(f"as.{name}", own, raw_dtype=Type[name])
        expected[name] = quants.dequantize(own, Type[name])
    writer.add_tensor("as.row", floats[0])
    expected["row"] = floats[0]
    finish(writer)
    save_file(expected, folder / "types.safetensors")


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_own():
    writer = GGUFWriter(folder / "written.gguf", "llama")
    writer.add_uint32("llama.block_count", 2)
    writer.add_float32("llama.rope.freq_base", 500.0)
    writer.add_bool("tokenizer.ggml.add_bos_token", False)
    writer.add_array("tokenizer.ggml.tokens", ["a", "▁b", "<s>"])
    writer.add_key_value(
        "tokenizer.ggml.scores", [0.0, -1.5, 2.0], Value.ARRAY, sub_type=Value.FLOAT32
    )
    writer.add_key_value("tokenizer.ggml.token_type", [1, 1, 3], Value.ARRAY, sub_type=Value.INT32)
    values = np.arange(3 * 32, dtype=np.float32).reshape(3, 32) / 8 - 5
    writer.add_tensor("blk.0.attn_q.weight", values)
    writer.add_tensor("blk.0.attn_norm.weight", values[0, :5].copy())
    writer.add_tensor("output.weight", values.astype(np.float16))
    writer.add_tensor(
        "token_embd.weight", quants.quantize(values, Type.Q8_0), raw_dtype=Type.Q8_0
    )
    finish(writer)


def write_split():
    random = np.random.default_rng(3)
    writer = GGUFWriter(folder / "split.gguf", "llama", split_max_tensors=2)
    writer.add_uint32("llama.block_count", 2)
    expected = {}
    for index in range(5):
        values = random.normal(0, 1, (2 + index, 32)).astype(np.float32)
        writer.add_tensor(f"part.{index}", values)
        expected[f"part.{index}"] = values
    finish(writer)
    save_file(expected, folder / "split.safetensors")


def write_q8_0():
    random = np.random.default_rng(7)
    scales = np.exp(random.normal(0, 4, (64, 1)))
    numbers = (random.normal(0, 1, (64, 64)) * scales).astype(np.float32)
    numbers[0] = 0
    # Halves of a step: d is 1.
    numbers[1, :32] = np.arange(32) - 15.5
    numbers[1, 0] = 127
    blocks = quants.quantize(numbers, Type.Q8_0)
    save_file({"numbers": numbers, "blocks": blocks}, folder / "q8_0.safetensors")


folder.mkdir(exist_ok=True)
write_types()
write_own()
write_split()
write_q8_0()
