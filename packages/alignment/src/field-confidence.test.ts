import { selectBackend } from '@lab/tensor';
import { describe, expect, it } from 'vitest';
import { smallConfig, smallData, smallTask, smallTraining } from './__fixtures__/small-task.js';
import { calibrate } from './align.js';
import { candidateTable } from './candidate-table.js';
import { fieldConfidence } from './field-confidence.js';
import { createScoreField } from './score-field.js';
import { trainEpochs } from './train.js';

describe('fieldConfidence', () => {
  it('is the confidence that an alignment is calibrated with', async () => {
    await selectBackend('wasm');
    const task = await smallTask(smallData(160), 0.5);
    const state = smallTraining(task, smallConfig({ 'training.epochs': 8 }));
    await trainEpochs(state);
    const encoding = state.learner.encode();
    const told = calibrate(await candidateTable(state, { encoding }), task.split.validation)!;
    const field = await createScoreField(state, encoding);
    const found = (await fieldConfidence(field, task.split.validation))!;
    expect(found.pairs).toBe(40);
    expect(found.pairs).toBe(told.pairs);
    expect(found.intercept).toBeCloseTo(told.intercept, 3);
    found.coefficients.forEach((value, at) => expect(value).toBeCloseTo(told.coefficients[at]!, 3));
    expect(await fieldConfidence(field, task.split.validation.slice(0, 20))).toBeNull();
    expect(await fieldConfidence(field, Int32Array.from(task.split.seeds))).toBeNull();
    field.dispose();
    encoding.dispose();
    state.dispose();
  });
});
