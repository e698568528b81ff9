import { expect, test } from 'vitest';
import { createSeriesColors } from './index.js';
import { schemeVariables, seriesColor, seriesDash, seriesInk, seriesSlotCount } from './palette.js';

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(first: string, second: string): number {
  const [low, high] = [luminance(first), luminance(second)].sort((a, b) => a - b);
  return (high! + 0.05) / (low! + 0.05);
}

test.each(['light', 'dark'] as const)('words keep 4.5:1 on both grounds, %s', (scheme) => {
  const colors = new Map(schemeVariables(scheme));
  const words = ['--ink', '--muted', '--accent', '--good', '--bad'];
  for (let slot = 1; slot <= seriesSlotCount; slot++) words.push(`--series-${slot}-ink`);
  for (const word of words) {
    for (const ground of ['--surface', '--raised']) {
      const ratio = contrast(colors.get(word)!, colors.get(ground)!);
      expect(ratio, `${word} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  }
});

test('a series keeps its colour whatever is asked for in between', () => {
  const colors = createSeriesColors(['ours', 'baseline']);
  expect(colors.slotOf('paper')).toBe(2);
  expect(colors.slotOf('ours')).toBe(0);
  expect(colors.slotOf('paper')).toBe(2);
});

test('colours are variables with a concrete fallback; the first line is solid', () => {
  expect(seriesColor(0)).toBe('var(--series-1, #0072b2)');
  expect(seriesInk(9)).toBe('var(--series-2-ink, #ad4c00)');
  expect(seriesDash(0)).toBeUndefined();
  expect(seriesDash(1)).toMatch(/\d/);
});
