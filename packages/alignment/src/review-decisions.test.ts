import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectDefects, type DataError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { readDecisions } from './review-decisions.js';
import { reviewedSeeds } from './reviewed-seeds.js';

/** Sources a0..a5 are 0..5, targets b0..b5 are 6..11. */
const data = {
  entityIds: Int32Array.from({ length: 12 }, (_, at) => at),
  entityNames: Array.from(
    { length: 12 },
    (_, at) => `http://x/${at < 6 ? `a${at}` : `b${at - 6}`}`,
  ),
  left: Int32Array.of(0, 1, 2, 3, 4, 5),
  right: Int32Array.of(6, 7, 8, 9, 10, 11),
  keyedBy: 'name' as const,
};
const split = { seeds: Int32Array.of(0, 6), validation: Int32Array.of(1, 7) };

async function read(...rows: readonly string[]) {
  const file = join(temporaryFolder(), 'review.csv');
  writeFileSync(file, `source,target,why,decision\n${rows.join('\n')}\n`);
  const collected = collectDefects();
  const decisions = await readDecisions(file, { data, split, onDefect: collected.onDefect });
  const defects = collected.defects.map((defect: DataError) =>
    defect.message.replace(/^.*review\.csv/, ''),
  );
  return { decisions, defects, helps: collected.defects.map(({ help }) => help) };
}

describe('readDecisions', () => {
  it('takes yes, no, another target and nothing', async () => {
    const { decisions, defects } = await read(
      'http://x/a2,http://x/b2,because,yes',
      'http://x/a3,http://x/b4,,NO',
      'http://x/a4,http://x/b5,,b4',
      'http://x/a5,http://x/b5,,',
    );
    expect(defects).toEqual([]);
    expect([...decisions.confirmed]).toEqual([2, 8, 4, 10]);
    expect([...decisions.refused]).toEqual([3, 10, 4, 11]);
    expect(decisions.undecided).toBe(1);
  });

  it('tells all defects at once, with lines', async () => {
    const { defects, helps } = await read(
      'http://x/a9,http://x/b2,,yes',
      'a2,b9,,no',
      'a2,b2,,maybe',
      'a3,b3,,yes',
      'a4,b3,,yes',
      'a3,b5,,yes',
      'a0,b4,,yes',
      'ragged,row',
    );
    expect(defects).toEqual([
      ' line 2: the source "http://x/a9" is no entity of its graph.',
      ' line 3: the target "b9" is no entity of its graph.',
      ' line 4: the decision "maybe" is neither yes nor no nor a target.',
      ' line 9: 2 fields where the first row has 4.',
      ' line 6: the target "http://x/b3" is decided twice, in line 5 already.',
      ' line 7: the source "http://x/a3" is decided twice, in line 5 already.',
      ' line 8: "http://x/a0" has "http://x/b0" among the seeds.',
    ]);
    expect(helps[0]).toMatch(/the nearest are http:\/\/x\/a\d/);
  });

  it('a pair that is decided twice is a defect, also as another target of a row', async () => {
    const again = ['a2,b2,,yes', 'a2,b2,,no'];
    expect((await read(...again)).defects).toEqual([
      ' line 3: the pair is decided twice, in line 2 already.',
    ]);
    expect((await read('a2,b2,,no', 'a2,b3,,b2')).defects).toEqual([
      ' line 3: the pair is decided twice, in line 2 already.',
    ]);
  });

  it('a seed may be refused, and its entities be given others', async () => {
    const { decisions, defects } = await read('a0,b0,,no', 'a0,b3,,yes');
    expect(defects).toEqual([]);
    expect([...reviewedSeeds(split, decisions)]).toEqual([1, 7, 0, 9]);
  });

  it('needs its columns and at least one decision', async () => {
    const file = join(temporaryFolder(), 'review.csv');
    writeFileSync(file, 'source,decision\na1,yes\n');
    const { onDefect, defects } = collectDefects();
    await readDecisions(file, { data, split, onDefect });
    expect(defects[0]!.message).toContain('the column target is missing');
    expect((await read('a2,b2,,')).defects).toEqual([': no row has a decision.']);
    await readDecisions('/no/such.csv', { data, split, onDefect });
    expect(defects.at(-2)!.message).toContain('/no/such.csv');
  });

  it('finds the columns in any order and the file in any separator', async () => {
    const file = join(temporaryFolder(), 'review.csv');
    writeFileSync(file, '\uFEFFDecision;Target;Source\nyes;b2;a2\n');
    const collected = collectDefects();
    const { onDefect } = collected;
    const { confirmed } = await readDecisions(file, { data, split, onDefect });
    expect([collected.count, [...confirmed]]).toEqual([0, [2, 8]]);
  });
});
