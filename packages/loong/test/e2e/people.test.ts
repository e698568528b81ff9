import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireProgram, temporaryFolder } from '@lab/core/testing';
import { startFakeServer } from '@lab/llm/testing';
import { checkPage } from '@lab/report/testing';
import { describe, expect, it } from 'vitest';
import { run as loong } from '../../src/__fixtures__/run-program.js';
import { decided } from './decided.js';

describe.skipIf(!requireProgram('chromium'))('the review of values (needs chromium)', () => {
  it('is decided in a browser, and makes questions of what was kept', async () => {
    const dir = temporaryFolder();
    const docs = join(dir, 'docs');
    mkdirSync(docs);
    for (const [at, name] of ['one', 'two', 'three', 'four'].entries()) {
      const text = `A memo <b>about</b> staff.\nStaff: ${10 + at}\n${'word '.repeat(80)}`;
      writeFileSync(join(docs, `${name}.txt`), text);
    }
    const out = join(dir, 'benchmark');
    const build = ['build', '--docs', docs, '--out', out, '--lengths', '3000'];
    expect((await loong(build)).code).toBe(0);
    const page = join(out, 'review.html');
    const { problems, views } = await checkPage(page);
    expect(problems).toEqual([]);
    expect(views.length).toBeGreaterThanOrEqual(4);
    // Documents are in the order of their names: four, one, three, two.
    const reviewed = join(dir, 'reviewed.csv');
    writeFileSync(reviewed, await decided(page, ['y', 'y', 'n', 'y']));
    const built = await loong([...build, '--reviewed', reviewed]);
    expect(built.code, built.stderr).toBe(0);
    expect(built.stdout).toMatch(/questions of 3 values/);
    const questions = readFileSync(join(out, 'questions.jsonl'), 'utf8').trim().split('\n');
    for (const line of questions) {
      expect((JSON.parse(line) as { doc: string[] }).doc).not.toContain('three');
    }
  });
});

describe('questions about texts', () => {
  it('are proposed by a model, decided by people, and asked', async () => {
    const evidence = [1, 2, 3, 4].map((document) => ({ document, quote: 'The memo is short.' }));
    const proposal = { evidence, kind: 'chain', question: 'What is short?', answer: 'Each memo.' };
    const server = await startFakeServer({
      script: { rules: [{ do: 'text', text: JSON.stringify(proposal) }] },
    });
    const dir = temporaryFolder();
    const docs = join(dir, 'docs');
    mkdirSync(docs);
    for (const name of ['one', 'two', 'three']) {
      writeFileSync(join(docs, `${name}.txt`), `About ${name}. The memo is short.\n`);
    }
    const build = ['build', '--docs', docs, '--out', join(dir, 'own'), '--lengths', '1000'];
    try {
      const model = ['--base-url', server.url, '--model', 'm', '--cache', 'off'];
      const offered = await loong([...build, '--text-questions', '2', ...model]);
      expect(offered.code, offered.stderr).toBe(0);
      expect(offered.stdout).toMatch(/1 of 2 proposals quote every document/);
    } finally {
      await server.close();
    }
    const html = readFileSync(join(dir, 'own', 'question-review.html'), 'utf8');
    expect(html).toContain('What is short?');
    const reviewed = join(dir, 'reviewed-questions.csv');
    const row = `"[""one"",""two""]",4,What is short?,Each memo.,"[""a"",""b""]",yes`;
    writeFileSync(reviewed, `docs,level,question,answer,quotes,decision\n${row}\n`);
    const built = await loong([...build, '--reviewed-questions', reviewed]);
    expect(built.code, built.stderr).toBe(0);
    expect(built.stdout).toMatch(/1 question of 0 values and 1 text in 3 documents/);
    const checked = await loong(['check', '--data', join(dir, 'own', 'questions.jsonl')]);
    expect(checked.code, checked.stderr).toBe(0);
    expect(checked.stdout).toMatch(/open-question/);
  });
});
