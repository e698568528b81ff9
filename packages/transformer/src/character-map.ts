/**
 * Character maps of SentencePiece, as tokenizer.json holds them: normalisation by a table.
 */

/** Letters and their texts that are kept: what a text is made of comes again and again. */
const MOST_KEPT = 10_000;
/** Letters that are taken apart into groups at once. */
const WINDOW = 256;
/** Longer groups of characters, in bytes of UTF-8, are mapped one by one. */
const GROUP_BYTES = 6;

/**
 * The normalisation that a map describes: groups of characters that one sees as one, or single
 * characters, become the texts that a double-array trie has for them; what it lacks stays.
 *
 * Source: huggingface/spm_precompiled, `normalize_string`: of several matches the shortest counts.
 *
 * @param precompiled - the map in base64: bytes of the trie, its units, texts that end with zero.
 * @returns a function of a text.
 * @throws {Error} where it is no map; its function, too, where a place in it is out of range.
 */
export function characterMap(precompiled: string): (text: string) => string {
  const bytes = Buffer.from(precompiled, 'base64');
  const trieBytes = bytes.length < 4 ? -1 : bytes.readUInt32LE(0);
  if (trieBytes < 4 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length) {
    throw new Error(
      `its character map of ${bytes.length} bytes cannot have a trie of ${trieBytes}`,
    );
  }
  const units = Uint32Array.from({ length: trieBytes / 4 }, (_, at) =>
    bytes.readUInt32LE(4 + 4 * at),
  );
  const texts = bytes.subarray(4 + trieBytes);
  const mapped = (part: string): string | null => {
    const begin = firstMatch(units, Buffer.from(part));
    if (begin === null) return null;
    if (begin > texts.length) throw new Error(`its character map has no text at ${begin}`);
    const end = texts.indexOf(0, begin);
    return texts.toString('utf8', begin, end < 0 ? texts.length : end);
  };
  const normalised = (group: string): string => {
    const whole = Buffer.byteLength(group) < GROUP_BYTES ? mapped(group) : null;
    return whole ?? Array.from(group, (one) => mapped(one) ?? one).join('');
  };
  const kept = new Map<string, string>();
  return (text) => {
    let result = '';
    for (const group of groupsOf(text)) {
      let own = kept.get(group);
      if (own === undefined) {
        own = normalised(group);
        if (kept.size < MOST_KEPT) kept.set(group, own);
      }
      result += own;
    }
    return result;
  };
}

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });

/**
 * Groups of characters that one sees as one. The segmenter's time grows with the square of a text's
 * length, so it gets windows; the last group of one may go on behind it, and begins the next.
 */
export function* groupsOf(text: string): Generator<string> {
  let [begin, size] = [0, WINDOW];
  while (begin < text.length) {
    const window = text.slice(begin, begin + size);
    const groups = Array.from(segmenter.segment(window), ({ segment }) => segment);
    const isEnd = begin + size >= text.length;
    if (!isEnd && groups.length === 1) {
      size *= 2;
      continue;
    }
    const last = isEnd ? '' : groups.pop()!;
    yield* groups;
    begin += window.length - last.length;
    size = WINDOW;
  }
}

/** Value of the shortest key of the trie that the bytes begin with. */
function firstMatch(units: Uint32Array, bytes: Uint8Array): number | null {
  const unitAt = (at: number) => {
    const unit = units[at];
    if (unit === undefined) throw new Error(`its character map has no unit ${at}`);
    return unit;
  };
  const offsetOf = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6);
  let at = offsetOf(unitAt(0)) >>> 0;
  for (const byte of bytes) {
    if (byte === 0) return null;
    at = (at ^ byte) >>> 0;
    const unit = units[at];
    // Rust's library ends here, too, where a key leads out of the trie.
    if (unit === undefined || (unit & 0x8000_00ff) >>> 0 !== byte) return null;
    at = (at ^ offsetOf(unit)) >>> 0;
    if ((unit & 0x100) !== 0) return unitAt(at) & 0x7fff_ffff;
  }
  return null;
}
