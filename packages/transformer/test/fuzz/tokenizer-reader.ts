/**
 * Changed tokenizer.json, tokenizer_config.json and chat_template.jinja.
 */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '@lab/core';
import { loadTokenizer, type Tokenizer } from '../../src/tokenizer.js';
import { changedBytes } from './change-bytes.js';
import { changedJson, oneOf } from './change-json.js';
import { claim, type FuzzedReader, golden, jsonOf } from './fuzzed-reader.js';

const folderOf = join(golden, 'tokenizers');
const TEXTS = ['Hello world,  123!\n', 'ünï 你好 👨\u200d👩 don’t', '  <s> a</s><|eot_id|>b\ttwo'];
const TALK = [
  { role: 'user', content: 'How tall is it?' },
  { role: 'assistant', content: 'Tall.' },
  { role: 'user', content: 'In m?' },
];
const NOW = new Date(2024, 6, 26);

const originals = new Map<string, ReadonlyMap<string, Buffer>>();

interface TokenizerFile {
  readonly model: { readonly vocab: unknown };
  readonly added_tokens?: readonly { readonly id: number; readonly content: string }[];
}

/** Ids of every token, as they stand in the file. */
function idsOf(bytes: Uint8Array): Map<string, Set<unknown>> {
  const file = jsonOf(bytes) as unknown as TokenizerFile;
  const { vocab } = file.model;
  const pairs: (readonly [string, unknown])[] = Array.isArray(vocab)
    ? vocab.map((one: unknown[], at) => [String(one[0]), at])
    : Object.entries(vocab as object);
  const ids = new Map<string, Set<unknown>>();
  for (const [token, id] of pairs) ids.set(token, (ids.get(token) ?? new Set()).add(id));
  for (const { content, id } of file.added_tokens ?? []) {
    ids.set(content, (ids.get(content) ?? new Set()).add(id));
  }
  return ids;
}

function checkIds(tokenizer: Tokenizer, ids: ReadonlyMap<string, ReadonlySet<unknown>>): void {
  let at = 0;
  for (const [token, own] of ids) {
    at += 1;
    if (at % 11 !== 0) continue;
    claim(own.has(tokenizer.idOf(token)), () => `id of ${token}`);
  }
}

function checkTexts(tokenizer: Tokenizer, ids: ReadonlyMap<string, ReadonlySet<unknown>>): void {
  for (const text of TEXTS) {
    const encoded = tokenizer.encode(text);
    for (const id of encoded) {
      const token = tokenizer.tokenOf(id);
      claim(Number.isSafeInteger(id) && id >= 0, () => `id ${String(id)}`);
      claim(typeof token === 'string' && ids.get(token)?.has(id) === true, () => `token of ${id}`);
    }
    claim(typeof tokenizer.decode(encoded) === 'string', () => 'decoded');
    claim(tokenizer.decode(encoded, { skipSpecialTokens: true }).length < 1e5, () => 'decoded');
  }
}

/** Changes numbers of a map of characters: the size of its trie, places in it, places of texts. */
function changeMap(random: Random) {
  return (value: Record<string, unknown>): void => {
    const step = value['normalizer'] as { precompiled_charsmap: string };
    const bytes = Buffer.from(step.precompiled_charsmap, 'base64');
    const units = random.uniform() < 0.2 ? 1 : bytes.readUInt32LE(0) / 4;
    const count = 1 + random.integer(40);
    for (let change = 0; change < count; change += 1) {
      const at = 4 * random.integer(units);
      const unit = bytes.readUInt32LE(at);
      const others = [unit ^ (1 << random.integer(32)), random.seed32(), unit + 1, unit - 1, 0, -1];
      bytes.writeUInt32LE(oneOf(random, others) >>> 0, at);
    }
    const length = random.uniform() < 0.1 ? random.integer(bytes.length) : bytes.length;
    step.precompiled_charsmap = bytes.toString('base64', 0, length);
  };
}

/** The tokenizers of six kinds: loaded, used both ways, with their chat templates. */
export const tokenizerReader: FuzzedReader = {
  setUp: async (folder) => {
    originals.clear();
    for (const name of readdirSync(folderOf)) {
      if (!existsSync(join(folderOf, name, 'tokenizer.json'))) continue;
      const files = readdirSync(join(folderOf, name));
      const contents = files.map(
        (file) => [file, readFileSync(join(folderOf, name, file))] as const,
      );
      originals.set(name, new Map(contents));
      cpSync(join(folderOf, name), join(folder, name), { recursive: true });
    }
  },
  change: (random, kind) => {
    const base = oneOf(random, [...originals.keys()]);
    const files = originals.get(base)!;
    const others = [...files.keys()].filter((name) => name !== 'tokenizer.json');
    const name = random.uniform() < 0.7 ? 'tokenizer.json' : oneOf(random, others);
    const own = files.get(name)!;
    const isJson = name.endsWith('.json');
    const isMap = base === 't5' && name === 'tokenizer.json' && random.uniform() < 0.3;
    const bytes =
      kind === 'structure' && isJson
        ? Buffer.from(
            changedJson(random, own.toString('utf8'), isMap ? changeMap(random) : undefined),
          )
        : changedBytes(random, own, name === 'tokenizer.json' ? 2000 : 0);
    return { base, name, bytes };
  },
  check: async (folder, { base, name, bytes }) => {
    const files = originals.get(base)!;
    try {
      const tokenizer = loadTokenizer(folder);
      const ids = idsOf(name === 'tokenizer.json' ? bytes : files.get('tokenizer.json')!);
      checkIds(tokenizer, ids);
      checkTexts(tokenizer, ids);
      for (const template of tokenizer.chat.names.slice(0, 2)) {
        const text = tokenizer.chat.render(TALK, { template, now: NOW });
        claim(typeof text === 'string', () => 'conversation');
        tokenizer.encode(text, { addSpecialTokens: false });
      }
    } finally {
      writeFileSync(join(folder, name), files.get(name)!);
    }
  },
};
