import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { studyOrganism } from '../../src/experiments/organism.js';
import { plantedModels, studyPlanted } from '../../src/experiments/planted-models.js';
import { headKey, rankHeads } from '../../src/head.js';
import { backupSentences, pickedHeads } from '../../src/report/backup-heads.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(plantedModels)('%s', (name) => {
  it('has exactly its planted heads found, and refusals alone are gone without them', async () => {
    const { isRedundant, planted, recall, ranks, result, ships, steps } = await studyPlanted(name);
    expect(recall).toMatchObject({ ships: 1, sahara: 1 });
    expect(ranks.toSorted((a, b) => a - b)).toEqual(planted.map((_, at) => at + 1));
    const [without] = result.groups;
    expect([result.intact.success.rate.share, without!.success.rate.share]).toEqual([0, 1]);
    expect(result.intact.accuracy.share - without!.accuracy.share).toBeLessThan(0.02);
    const searched = steps.map(
      ({ scores, unit, group }) => ({ kind: 'sahara-step', unit, group, scores }) as const,
    );
    const picks = pickedHeads(searched);
    const sentences = backupSentences(picks, 'nats');
    expect(picks.some(({ isBackup }) => isBackup)).toBe(isRedundant);
    if (!isRedundant) return;
    // Either of the two is enough: alone they move next to nothing, together everything.
    expect(rankHeads(ships, 1)[0]!.score).toBeLessThan(0.01);
    expect(steps.at(-1)!.score).toBeGreaterThan(5);
    expect(sentences[0]).toContain(`Head ${picks[1]!.name} adds`);
    expect(sentences[0]).toContain('scores of single heads do not show');
  });
});

describe('the trained model', () => {
  it('refuses through the heads that Ships names, and answers without them', async () => {
    const study = await studyOrganism();
    const { groups, intact, planted, random, randomInterval, recall } = study;
    const [byShips, , byDivergence] = groups;
    expect(recall.ships).toBe(1);
    expect(byShips!.heads).toHaveLength(planted.length);
    expect(random).toHaveLength(20);
    expect(intact.success.rate.share).toBe(0);
    for (const { heads, name, success } of [byShips!, byDivergence!]) {
      const what = `${name}: ${heads.map(headKey).join(', ')}`;
      expect(success.rate.low, what).toBeGreaterThan(randomInterval.high);
      expect(success.rate.share, what).toBeGreaterThan(Math.max(...random));
    }
    expect(byShips!.success.rate.share).toBeGreaterThanOrEqual(0.95);
    expect(intact.accuracy.n).toBe(96);
    expect(intact.accuracy.share - byShips!.accuracy.share).toBeLessThan(0.02);
    expect(byShips!.refusedInstead).toBeLessThan(0.02);
  });
});
