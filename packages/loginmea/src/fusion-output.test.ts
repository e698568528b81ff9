import '@lab/core/testing';
import { createParameters, selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { addFusionOutput, fusionOutput } from './fusion-output.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const fused = () => tf.tensor2d([0, Math.log(3), 5, 9], [2, 2]);

describe('fusionOutput', () => {
  it('is f itself, or its soft-max', () => {
    const f = fused();
    const none = createParameters();
    expect(fusionOutput(f, 'none', none)).toBe(f);
    expect(fusionOutput(f, 'softmax', none).arraySync()[0]).toBeClose([0.25, 0.75], { rtol: 1e-6 });
  });

  it('is its layer normalisation, which starts with gain 1 and bias 0', () => {
    const parameters = createParameters();
    addFusionOutput(parameters, 2, 'layer-norm');
    expect(parameters.names()).toEqual(['fusion.norm.gain', 'fusion.norm.bias']);
    const near = { rtol: 1e-4 };
    expect(fusionOutput(fused(), 'layer-norm', parameters).arraySync()[1]).toBeClose([-1, 1], near);
    parameters.get('fusion.norm.gain').assign(tf.tensor1d([2, 3]));
    parameters.get('fusion.norm.bias').assign(tf.tensor1d([10, 20]));
    expect(fusionOutput(fused(), 'layer-norm', parameters).arraySync()[1]).toBeClose([8, 23], near);
    parameters.dispose();
  });

  it('adds no parameters for the others, and leaves nothing behind', async () => {
    const parameters = createParameters();
    addFusionOutput(parameters, 2, 'softmax');
    addFusionOutput(parameters, 2, 'none');
    expect(parameters.names()).toEqual([]);
    const f = fused();
    expect(await expectNoLeak(() => fusionOutput(f, 'softmax', parameters))).toBeUndefined();
  });
});
