import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { studyOrganism } from '../../src/experiments/organism.js';
import { plantedModels, studyPlanted } from '../../src/experiments/planted-models.js';
import { headKey } from '../../src/head.js';
import { backupSentences, pickedHeads } from '../../src/report/backup-heads.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const single = plantedModels.filter((name) => name !== 'planted-redundant');

describe('planted heads', () => {
  it.each(single)('of %s are exactly the best of a scan, and the group of a search', async (name) => {
    const { recall, planted, ranks } = await studyPlanted(name);
    expect(recall).toMatchObject({ ships: 1, sahara: 1 });
    expect(ranks.toSorted()).toEqual(planted.map((_, at) => at + 1));
  });

  it('that stand in for each other are missed by a scan of single heads and found by Sahara', async () => {
    const { isRedundant, recall, ranks, steps } = await studyPlanted('planted-redundant');
    expect(isRedundant).toBe(true);
    expect(recall.sahara).toBe(1);
    expect(recall.ships).toBeLessThan(1);
    expect(Math.max(...ranks)).toBeGreaterThan(2);
    const picks = pickedHeads(
      steps.map(({ scores, unit, group }) => ({ kind: 'sahara-step', unit, group, scores }) as const),
    );
    expect(picks[1]!.isBackup).toBe(true);
    const [sentence] = backupSentences(picks, 'nats');
    expect(sentence).toContain(`Head ${picks[1]!.name} adds`);
    expect(sentence).toContain('a scan of single heads misses it');
  });
});

describe('the trained model', () => {
  it('answers without the heads that are found, more than without random ones, and as rightly', async () => {
    const { rows } = await studyOrganism();
    for (const { way, group, intact, ablated, random, randomInterval, accuracyLoss } of rows) {
      const what = `${way}: ${group.map(headKey).join(', ')}`;
      expect(random, what).toHaveLength(20);
      expect(ablated.rate.low, what).toBeGreaterThan(randomInterval.high);
      expect(ablated.rate.low, what).toBeGreaterThan(intact.rate.high);
      expect(accuracyLoss, what).toBeLessThan(0.02);
    }
  });
});
