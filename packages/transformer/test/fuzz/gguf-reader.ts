/**
 * Changed GGUF files: of every type of values and tensors, and of small models with tokenizers.
 */
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Random } from '@lab/core';
import { writeTokenizer } from '../../bench/gguf-tokenizers.js';
import { writeGguf } from '../../src/gguf/gguf-export.js';
import { openGguf } from '../../src/gguf/gguf-file.js';
import { loadTokenizer } from '../../src/tokenizer.js';
import { readModelConfig } from '../../src/model-config.js';
import { openCheckpoint } from '../../src/weights/checkpoint.js';
import { matchWeights, weightList } from '../../src/weights/expected-weights.js';
import { writeRandomCheckpoint } from '../../src/weights/random-checkpoint.js';
import { changedBytes } from './change-bytes.js';
import { oneOf } from './change-json.js';
import { claim, type FuzzedReader, golden } from './fuzzed-reader.js';

const FILE = 'model.gguf';
/** The files of a model in three, each changed in a folder of its own. */
const PARTS = [1, 2, 3].map((part) => `split-0000${part}-of-00003.gguf`);
const partOf = (base: string): string | undefined =>
  PARTS[Number(/^part(?<number>\d)$/.exec(base)?.groups?.['number'] ?? 0) - 1];
const fileOf = (base: string): string => partOf(base) ?? FILE;
const sizes = { vocab_size: 704, hidden_size: 8, num_hidden_layers: 2, num_attention_heads: 2 };
const gated = { ...sizes, intermediate_size: 32, num_key_value_heads: 1 };
/** Models with a tokenizer each. */
const models: Readonly<Record<string, readonly [config: object, tokenizer: string]>> = {
  llama: [{ model_type: 'llama', ...gated }, 'llama2'],
  qwen2: [{ model_type: 'qwen2', ...gated }, 'qwen2'],
  gpt2: [
    { model_type: 'gpt2', vocab_size: 704, n_embd: 8, n_head: 2, n_layer: 2, n_positions: 16 },
    'gpt2',
  ],
  falcon: [{ model_type: 'falcon', ...sizes }, 'llama3'],
};

/** A number of a file that says how much of something there is, where, or of which type. */
interface Place {
  readonly at: number;
  readonly size: 4 | 8;
}

/** A file by this walker, which shares nothing with the reader. */
interface Walk {
  readonly places: Place[];
  readonly keys: string[];
  readonly tensors: {
    readonly name: string;
    readonly lengths: number[];
    readonly type: number;
    readonly offset: number;
  }[];
  readonly end: number;
}

/** Tensors of the model in three files. */
const PART_TENSORS = 5;

const VALUE_BYTES = [1, 1, 2, 2, 4, 4, 4, 1, -1, -1, 8, 8, 8];

/** Walks through a header; throws a RangeError where it leads out of the bytes. */
function walked(bytes: Buffer): Walk {
  const places: Place[] = [];
  let at = 4;
  const u32 = () => {
    places.push({ at, size: 4 });
    at += 4;
    return bytes.readUInt32LE(at - 4);
  };
  const u64 = () => {
    places.push({ at, size: 8 });
    at += 8;
    return Number(bytes.readBigUInt64LE(at - 8));
  };
  const text = () => {
    const length = u64();
    if (at + length > bytes.length) throw new RangeError('a text');
    at += length;
    return bytes.toString('utf8', at - length, at);
  };
  const value = (type: number): void => {
    if (type === 8) text();
    else if (type === 9) {
      const inner = u32();
      const count = u64();
      for (let one = 0; one < count; one += 1) value(inner);
    } else {
      const size = VALUE_BYTES[type];
      if (size === undefined || at + size > bytes.length) throw new RangeError('a value');
      at += size;
    }
  };
  u32();
  const [tensorCount, keyCount] = [u64(), u64()];
  const keys: string[] = [];
  for (let key = 0; key < keyCount; key += 1) {
    keys.push(text());
    value(u32());
  }
  const tensors = Array.from({ length: tensorCount }, () => {
    const name = text();
    const lengths = Array.from({ length: u32() }, u64);
    return { name, lengths, type: u32(), offset: u64() };
  });
  return { places, keys, tensors, end: at };
}

const NUMBERS = [
  ...[0n, 1n, 2n, 3n, 7n, 8n, 12n, 14n, 30n, 31n, 32n, 255n, 65_535n, 2n ** 20n, 2n ** 31n - 1n],
  ...[2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n],
];

/** Another number in a place: one at a limit, or near the one that is there. */
function changeNumber(random: Random, bytes: Buffer, { at, size }: Place): void {
  const own = size === 4 ? BigInt(bytes.readUInt32LE(at)) : bytes.readBigUInt64LE(at);
  const near = [own + 1n, own - 1n, own * 2n, own / 2n, own + 8n, own - 8n, own + 32n, own ^ 1n];
  const value = oneOf(random, random.uniform() < 0.5 ? NUMBERS : near);
  if (size === 4) bytes.writeUInt32LE(Number(BigInt.asUintN(32, value)), at);
  else bytes.writeBigUInt64LE(BigInt.asUintN(64, value), at);
}

const originals = new Map<string, { readonly bytes: Buffer; readonly places: readonly Place[] }>();

function structured(random: Random, base: string): Buffer {
  const { bytes: own, places } = originals.get(base)!;
  const bytes = Buffer.from(own);
  const count = 1 + random.integer(3);
  for (let change = 0; change < count; change += 1) {
    // Half of the changes are of the first numbers and of the last ones, those of tensors.
    const reach = Math.min(40, places.length);
    const last = places.length - 1 - random.integer(Math.min(200, places.length));
    const index = oneOf(random, [random.integer(reach), last, random.integer(places.length)]);
    changeNumber(random, bytes, places[index]!);
  }
  const isCut = random.uniform() < 0.05;
  return isCut ? bytes.subarray(0, random.integer(bytes.length + 1)) : bytes;
}

/** Compares what was read with what the walker finds in the same bytes. */
async function checkHeader(path: string, content: Uint8Array): Promise<void> {
  const file = openGguf(path);
  try {
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
    const walk = walked(bytes);
    // Of a model in several files, keys are those of the first.
    const isFirst = file.path === path;
    if (isFirst) {
      claim([...file.metadata.keys()].join('\n') === walk.keys.join('\n'), () => 'keys');
    }
    const isWhole = partOf(basename(dirname(path))) === undefined;
    const counts = isWhole ? [walk.tensors.length] : [walk.tensors.length, PART_TENSORS];
    claim(counts.includes(file.tensors.size), () => 'count of tensors');
    const own = isFirst ? file.metadata.get('general.alignment') : undefined;
    const alignment = own?.type === 'uint32' ? Number(own.value) : 32;
    const begin = Math.ceil(walk.end / alignment) * alignment;
    for (const { name, lengths, type, offset } of walk.tensors) {
      const tensor = file.tensors.get(name);
      claim(tensor?.type.id === type, () => `type of ${name}`);
      claim(tensor!.shape.toReversed().join() === lengths.join(), () => `shape of ${name}`);
      claim(tensor!.begin === begin + offset, () => `place of ${name}`);
      const end = tensor!.begin + tensor!.sizeBytes;
      claim(end <= bytes.length, () => `end of ${name}`);
      const stored = await file.readBytes(name);
      claim(bytes.subarray(tensor!.begin, end).equals(stored), () => `content of ${name}`);
    }
  } finally {
    file.close();
  }
}

const TEXTS = ['Hello world,  123!\n', 'ünï 你好 don’t', '  <s> a</s>\ttwo'];

/** The model and the tokenizer, as far as they can be used. */
async function checkModel(path: string): Promise<void> {
  const model = readModelConfig(path);
  const checkpoint = openCheckpoint(path);
  try {
    for (const name of matchWeights(weightList(model), checkpoint).values()) {
      const { shape } = checkpoint.weights.get(name)!;
      const values = await checkpoint.read(name);
      const count = shape.reduce((product, length) => product * length, 1);
      claim(values.length === count, () => `numbers of ${name}`);
    }
  } finally {
    checkpoint.close();
  }
  const tokenizer = loadTokenizer(path);
  for (const text of TEXTS) {
    const ids = tokenizer.encode(text);
    for (const id of ids) claim(tokenizer.tokenOf(id) !== null, () => `token of ${id}`);
    claim(typeof tokenizer.decode(ids) === 'string', () => 'decoded');
  }
}

/** The file of every type, and those of models, which are used as models are. */
export const ggufReader: FuzzedReader = {
  setUp: async (folder) => {
    originals.clear();
    const add = (base: string) => {
      const bytes = readFileSync(join(folder, base, fileOf(base)));
      originals.set(base, { bytes, places: walked(bytes).places });
    };
    mkdirSync(join(folder, 'types'), { recursive: true });
    cpSync(join(golden, 'gguf', 'types.gguf'), join(folder, 'types', FILE));
    add('types');
    for (const at of PARTS.keys()) {
      const base = `part${at + 1}`;
      mkdirSync(join(folder, base), { recursive: true });
      for (const name of PARTS) cpSync(join(golden, 'gguf', name), join(folder, base, name));
      add(base);
    }
    for (const [base, [config, tokenizer]] of Object.entries(models)) {
      const path = join(folder, base);
      await writeRandomCheckpoint(path, config as Record<string, unknown>);
      writeTokenizer(tokenizer, path);
      await writeGguf(path, join(path, FILE), { type: base === 'llama' ? 'q8_0' : 'f16' });
      add(base);
    }
  },
  change: (random, kind) => {
    const base = oneOf(random, [...originals.keys(), 'types']);
    const { bytes: own } = originals.get(base)!;
    const bytes = kind === 'structure' ? structured(random, base) : changedBytes(random, own, 600);
    return { base, name: fileOf(base), bytes };
  },
  check: async (folder, { base, name, bytes }) => {
    const path = join(folder, name);
    await checkHeader(path, bytes);
    if (Object.hasOwn(models, base)) await checkModel(path);
  },
};
