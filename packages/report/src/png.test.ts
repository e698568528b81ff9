import { BackendError } from '@lab/core';
import { expect, test } from 'vitest';
import { barPlot, standaloneSvg, svgToPng } from './index.js';

const figure = barPlot({
  title: 'Weights <of> each',
  value: { label: 'weight' },
  bars: [{ label: 'graph', value: 0.4 }],
});

test.each(['light', 'dark'] as const)(
  'a %s file has concrete colours and a named font',
  (scheme) => {
    const svg = standaloneSvg(figure, { scheme, font: 'Liberation Sans' });
    expect(svg).not.toMatch(/var\(|currentColor/);
    expect(svg).toContain('font-family="&quot;Liberation Sans&quot;, ');
    expect(svg).toContain('Weights &lt;of&gt; each</text>');
    expect(svg).toContain(scheme === 'light' ? 'fill="#ffffff"' : 'fill="#14161a"');
  },
);

test('the title may be left to the text around the picture', () => {
  expect(standaloneSvg(figure, { hasTitle: false })).not.toContain('font-weight="600"');
});

test('a PNG has the size asked for', async () => {
  const png = await svgToPng(standaloneSvg(figure), { scale: 2 });
  expect([...png.slice(1, 4)].map((code) => String.fromCharCode(code)).join('')).toBe('PNG');
  expect(Buffer.from(png).readUInt32BE(16)).toBe(1440);
});

test('no font at all is an error, not a picture without words', async () => {
  const png = svgToPng(standaloneSvg(figure), { font: 'No Such Font', hasSystemFonts: false });
  await expect(png).rejects.toThrow(BackendError);
  await expect(png).rejects.toThrow(/"No Such Font"/);
});
