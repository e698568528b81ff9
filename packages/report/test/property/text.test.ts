import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { csvText, escapeHtml, linePlot } from '../../src/index.js';
import { spreadPositions } from '../../src/series-labels.js';

const anyText = fc.string({ unit: 'binary' });

/** Reads CSV as a spreadsheet does; formulas keep their apostrophe. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  let at = 0;
  while (at < text.length) {
    let cell = '';
    if (text[at] === '"') {
      for (at += 1; text[at] !== '"' || text[at + 1] === '"'; at++) {
        if (text[at] === '"') at += 1;
        cell += text[at];
      }
      at += 1;
    } else {
      while (at < text.length && text[at] !== ',' && !text.startsWith('\r\n', at))
        cell += text[at++];
    }
    rows.at(-1)!.push(cell);
    if (text[at] === ',') at += 1;
    else {
      at += 2;
      if (at < text.length) rows.push([]);
    }
  }
  return rows;
}

test('CSV gives back every text', () => {
  const cell = anyText.filter((text) => !/^[=+\-@\t\r]/.test(text) && text !== '');
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (rows) => {
      expect(parseCsv(csvText(['a', 'b'], rows))).toEqual([['a', 'b'], ...rows]);
    }),
  );
});

test('no text opens an element or leaves its attribute', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const { document } = parseHTML(
        `<body><p title="${escapeHtml(text)}">${escapeHtml(text)}</p>`,
      );
      expect(document.querySelectorAll('*').length).toBeLessThanOrEqual(4);
      expect(document.querySelector('p')?.attributes.length).toBe(1);
    }),
  );
});

test('labels keep their distance whenever there is room', () => {
  const positions = fc.array(fc.double({ min: 0, max: 200, noNaN: true }), { maxLength: 10 });
  fc.assert(
    fc.property(positions, (wanted) => {
      const placed = spreadPositions(wanted, 15, [0, 200]).sort((a, b) => a - b);
      placed.forEach((place, index) => {
        expect(place).toBeGreaterThanOrEqual(-1e-9);
        expect(place).toBeLessThanOrEqual(200);
        if (index > 0) expect(place - placed[index - 1]!).toBeGreaterThanOrEqual(15 - 1e-9);
      });
    }),
  );
});

test('any finite data makes a picture without NaN', () => {
  const number = fc.double({ min: -1e12, max: 1e12, noNaN: true });
  const points = fc.array(fc.record({ x: number, y: number }), { maxLength: 6 });
  fc.assert(
    fc.property(points, anyText, (data, name) => {
      const series = [{ name, points: data.sort((a, b) => a.x - b.x) }];
      const { svg } = linePlot({ title: name, x: { label: name }, y: { label: 'y' }, series });
      expect(svg).not.toMatch(/NaN|Infinity|="undefined"/);
    }),
    { numRuns: 25 },
  );
});
