import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { bringIntoOrder, lineStarts, putInOrder } from './canonical-order.js';
import { recordHead } from './row-record.js';

const line = (id: number | string, text = '') =>
  `${JSON.stringify({ id: String(id), requestHash: null, output: text })}\n`;

async function ordered(content: string, placeOf = (id: string) => Number(id)) {
  const path = join(temporaryFolder(), 'lines.jsonl');
  writeFileSync(path, content);
  const { ino } = statSync(path);
  const count = await bringIntoOrder(path, placeOf);
  return { text: readFileSync(path, 'utf8'), count, isKept: statSync(path).ino === ino };
}

describe('bringIntoOrder', () => {
  it('leaves a file alone that is in order', async () => {
    const text = line(0) + line(1) + line(5);
    expect(await ordered(text)).toEqual({ text, count: 3, isKept: true });
    expect(await ordered('')).toEqual({ text: '', count: 0, isKept: true });
  });

  it('orders lines of any length, of far places, and with letters of several bytes', async () => {
    const texts = Array.from({ length: 400 }, (_, i) => line(i, 'é€'.repeat((i * 7919) % 3001)));
    const mixed = texts.map((text, i) => ({ text, at: (i * 7919) % 400 }));
    mixed.sort((a, b) => a.at - b.at);
    const { text, count, isKept } = await ordered(mixed.map((entry) => entry.text).join(''));
    expect([count, isKept]).toEqual([400, false]);
    expect(text === texts.join('')).toBe(true);
  });

  it('keeps the last line of an id, and drops those that have no place', async () => {
    const text = line(1, 'old') + line(0) + line(2) + line(1, 'new');
    const result = await ordered(text, (id) => (id === '2' ? -1 : Number(id)));
    expect(result).toEqual({ text: line(0) + line(1, 'new'), count: 2, isKept: false });
  });
});

describe('putInOrder', () => {
  const put = (texts: readonly string[], places: readonly number[]) => {
    const path = join(temporaryFolder(), 'lines.jsonl');
    writeFileSync(path, texts.join(''));
    const starts = lineStarts();
    let offset = 0;
    for (const [at, text] of texts.entries()) {
      if (places[at]! >= 0) starts.set(places[at]!, offset + 1);
      offset += Buffer.byteLength(text);
    }
    const { ino } = statSync(path);
    putInOrder(path, { starts, lastPlace: Math.max(...places) });
    return { text: readFileSync(path, 'utf8'), isKept: statSync(path).ino === ino };
  };

  it('leaves a file alone that is in order, places without lines or not', () => {
    const text = line(0) + line(4) + line(9);
    expect(put([line(0), line(4), line(9)], [0, 4, 9])).toEqual({ text, isKept: true });
    expect(put([], [-1])).toEqual({ text: '', isKept: true });
  });

  it('orders lines, also such as are longer than what is written at once', () => {
    const texts = [line(0, 'x'.repeat(700_000)), line(1), line(2, 'é'.repeat(9)), line(3)];
    const places = [3, 1, 0, 2];
    const { text, isKept } = put(
      texts.map((_, at) => texts[places[at]!]!),
      places,
    );
    expect([text === texts.join(''), isKept]).toEqual([true, false]);
  });
});

describe('recordHead', () => {
  it('reads id and hash without the rest', () => {
    expect(recordHead('{"id":"a","requestHash":"ff","status":"ok"')).toEqual({
      id: 'a',
      requestHash: 'ff',
    });
    const id = 'x "\\ \u2028 é","requestHash":"no';
    expect(recordHead(JSON.stringify({ id, requestHash: null, more: 1 }))).toEqual({
      id,
      requestHash: null,
    });
    expect(recordHead('{"name":"a"}')).toBeUndefined();
  });
});
