import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { hostile, reviewPage as page } from './__fixtures__/review-page.js';
import { reviewPageHtml, writeReviewPage } from './index.js';

describe('the review page', () => {
  const html = reviewPageHtml(page);
  const { document } = parseHTML(html);

  test('asks for nothing and admits two scripts by their hashes', () => {
    expect(html).toMatch(/script-src 'sha256-[\w+/=]+' 'sha256-[\w+/=]+'/);
    expect(document.querySelectorAll('script').length).toBe(2);
    expect(document.querySelectorAll('[src]').length).toBe(0);
  });

  test('shows untrusted text as text, and keeps it whole for the file', () => {
    expect(document.querySelectorAll('img').length).toBe(0);
    const [first] = document.querySelectorAll('ol.review > li');
    expect(first!.querySelector('pre')!.textContent).toBe(hostile);
    expect(JSON.parse(first!.getAttribute('data-cells')!)).toEqual(page.questions[0]!.cells);
  });

  test('has a question for each pair; what needs a script is hidden without one', () => {
    expect(document.querySelectorAll('ol.review > li').length).toBe(3);
    for (const control of document.querySelectorAll('.bar, .decide, .keys')) {
      expect(control.hasAttribute('hidden')).toBe(true);
    }
    expect(document.querySelectorAll('input[type=radio]').length).toBe(12);
    expect(document.querySelector('header pre')!.textContent).toBe(page.command);
  });

  test('says so when there is nothing to decide', () => {
    expect(reviewPageHtml({ ...page, questions: [] })).toContain('There is nothing to decide.');
  });

  test('is written whole or not at all', () => {
    const path = join(temporaryFolder(), 'review.html');
    expect(writeReviewPage(path, page)).toEqual({ path, bytes: statSync(path).size });
    expect(readFileSync(path, 'utf8')).toBe(html);
    expect(() => writeReviewPage('/no/such/folder/x.html', page)).toThrow(DataError);
  });
});

describe('choices of its own', () => {
  const own = {
    ...page,
    isTimed: true,
    choices: {
      legend: 'Better:',
      options: [
        { value: '1', label: 'answer <1>', key: '1' },
        { value: 'tie', label: 'equally good', key: '0' },
      ],
    },
  };

  test('are radio buttons with keys, and seconds are a column', () => {
    const html = reviewPageHtml(own);
    expect(html).toContain('<legend>Better:</legend>');
    expect(html).toContain('value="tie"> equally good');
    expect(html).toContain('answer &lt;1&gt;');
    expect(html).toContain('<kbd>0</kbd> equally good');
    expect(html).toMatch(/data-columns="[^"]*decision&quot;,&quot;seconds&quot;\]"/);
    expect(html).not.toContain('another one');
  });

  test('without a target there is no equals sign', () => {
    const questions = own.questions.map((question) => ({ ...question, target: '' }));
    expect(reviewPageHtml({ ...own, questions })).not.toContain('class="equals"');
  });
});
