import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { hostileText, samplePage } from '../test/e2e/sample-page.js';
import { linePlot, pageLimitBytes, type RunPage, runPageHtml, writeRunPage } from './index.js';

const html = runPageHtml(samplePage());
const { document } = parseHTML(html);

describe('the run page', () => {
  test('is read in the order of importance', () => {
    const marks = [
      '<h1>',
      'class="lead"',
      'class="numbers"',
      '<figure',
      'id="comparison"',
      'id="training"',
      'id="ablations"',
      'id="examples"',
      'id="cost"',
      'id="settings"',
      'id="data-files"',
      'id="reproduce"',
      'id="warnings"',
    ];
    const places = marks.map((mark) => html.indexOf(mark));
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  test('asks for nothing: no address outside data links, one script admitted by its hash', () => {
    expect(html).toContain("default-src 'none'");
    expect(html).toMatch(/script-src 'sha256-[\w+/=]+'/);
    expect(document.querySelectorAll('script').length).toBe(1);
    for (const element of document.querySelectorAll('[src], link, a[href]')) {
      const target = element.getAttribute('src') ?? element.getAttribute('href') ?? '';
      expect(target).toMatch(/^(#|data:)/);
    }
  });

  test('shows untrusted text as text', () => {
    expect(html).not.toContain(hostileText);
    expect(document.querySelector('ul.warnings')?.textContent).toContain(hostileText);
    expect(document.querySelectorAll('img').length).toBe(0);
    expect(document.querySelector('.examples details pre')?.textContent).toContain(hostileText);
  });

  test('numbers carry interval and reference', () => {
    const first = document.querySelector('.numbers > div')?.textContent;
    expect(first).toBe('H@1.79195 %: .773 to .808baseline .552');
  });

  test('each figure has a name, a sentence and its data', () => {
    const figures = [...document.querySelectorAll('figure')];
    expect(figures.length).toBe(10);
    for (const figure of figures) {
      expect(figure.querySelector('svg')?.getAttribute('aria-label')?.length).toBeGreaterThan(40);
      expect(figure.querySelector('figcaption')?.textContent?.length).toBeGreaterThan(20);
      const link = figure.querySelector('a[download]')?.getAttribute('href') ?? '';
      expect(decodeURIComponent(link.split(',')[1] ?? '')).toMatch(/\r\n/);
    }
  });

  test('settings show what was chosen first and all behind a fold', () => {
    const section = document.querySelector('#settings');
    expect(section?.querySelector('details summary')?.textContent).toBe('All 19 settings');
    expect(section?.querySelector('table')?.textContent).not.toContain('training.option1 ');
  });

  test('what needs scripts is hidden until they run', () => {
    expect(document.querySelector('button.copy')?.hasAttribute('hidden')).toBe(true);
    expect(document.querySelector('.filter')?.hasAttribute('hidden')).toBe(true);
  });
});

const empty: RunPage = {
  title: 'Empty',
  sentence: 'Nothing yet.',
  numbers: [],
  sections: [],
  cost: [],
  settings: [],
  files: [],
  command: 'ibmea train',
  warnings: [],
};

test('a page without figures, examples and files still says so', () => {
  const text = runPageHtml(empty);
  expect(text).toContain('The run read no files.');
  expect(text).toContain('None occurred.');
});

test('figures with very much data keep the page below its limit, and the page says so', () => {
  const points = Array.from({ length: 60_000 }, (_, x) => ({ x, y: Math.sin(x) }));
  const heavy = linePlot({
    title: 'heavy',
    x: { label: 'x' },
    y: { label: 'y' },
    series: [{ name: 'a', points: points.slice(0, 30_000) }],
  });
  const light = { ...heavy, title: 'light', csv: 'x,y\r\n1,2\r\n' };
  const figures = [heavy, light].map((figure) => ({
    figure: { ...figure, svg: '<svg></svg>', narrowSvg: '<svg></svg>' },
    caption: 'c',
  }));
  const big = { ...figures[0]!, figure: { ...figures[0]!.figure, csv: heavy.csv.repeat(3) } };
  const text = runPageHtml({
    ...empty,
    sections: [{ heading: 'Big', figures: [big, figures[1]!] }],
  });
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(pageLimitBytes);
  expect(text.match(/Its data is left out/g)?.length).toBe(1);
  expect(text).toContain('download="light.csv"');
});

test('writing reports the size; a folder that is missing is a clear error', () => {
  const path = join(temporaryFolder(), 'report.html');
  const { bytes } = writeRunPage(path, empty);
  expect(readFileSync(path).length).toBe(bytes);
  const missing = join(temporaryFolder(), 'no', 'such', 'report.html');
  expect(() => writeRunPage(missing, empty)).toThrow(DataError);
  expect(existsSync(missing)).toBe(false);
});
