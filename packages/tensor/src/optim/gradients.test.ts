import { beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from '../backend.js';
import { createParameters, type Parameters } from '../nn/parameters.js';
import { expectNoLeak } from '../testing.js';
import { tf } from '../tfjs.js';
import { eachValueAndGradients, valueAndGradients } from './gradients.js';

const values = (tensor: tf.Tensor | undefined) => Array.from(tensor!.dataSync());

async function withParameters(body: (parameters: Parameters) => unknown): Promise<unknown> {
  return expectNoLeak(async () => {
    const parameters = createParameters();
    parameters.add('x', tf.tensor1d([1, 2, 3]));
    parameters.add('unused', tf.tensor1d([1]));
    try {
      return await body(parameters);
    } finally {
      parameters.dispose();
    }
  });
}

/** The sum of its input; the operation throws in its forward or its backward pass. */
function throwing(x: tf.Tensor, where: 'forward' | 'backward'): tf.Scalar {
  const operation = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
    save([input, tf.square(input)]);
    if (where === 'forward') throw new Error('thrown in forward');
    const gradFunc = (): tf.Tensor => {
      throw new Error('thrown in backward');
    };
    return { value: tf.sum(input), gradFunc };
  });
  return operation(tf.exp(x)) as tf.Scalar;
}

describe.each(['cpu', 'wasm'] as const)('valueAndGradients on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  it('gives the value and the gradients of the parameters reached', async () => {
    const thrown = await withParameters((parameters) => {
      const x = parameters.get('x');
      const found = valueAndGradients(parameters, () => tf.sum(tf.mul(tf.square(x), x)));
      expect(values(found.value)).toEqual([36]);
      expect(Object.keys(found.gradients)).toEqual(['x']);
      expect(values(found.gradients['x'])).toEqual([3, 12, 27]);
      return [found.value, ...Object.values(found.gradients)];
    });
    expect(thrown).toBeUndefined();
  });

  it('adds what comes over several paths', async () => {
    const thrown = await withParameters((parameters) => {
      const x = parameters.get('x');
      const found = valueAndGradients(parameters, () => {
        const shared = tf.exp(x);
        const sum = tf.add(tf.add(shared, shared), tf.mul(shared, x));
        return tf.sum(tf.add(sum, x));
      });
      const expected = [1, 2, 3].map((v) => 2 * Math.exp(v) + Math.exp(v) * (1 + v) + 1);
      const got = values(found.gradients['x']);
      expected.forEach((value, i) => expect(got[i]! / value).toBeCloseTo(1, 5));
      return [found.value, found.gradients['x']];
    });
    expect(thrown).toBeUndefined();
  });

  it('leaves tensors alone that a gradient function returns but did not make', async () => {
    const thrown = await withParameters((parameters) => {
      const constant = tf.tensor1d([5, 6, 7]);
      const operation = tf.customGrad((...args) => {
        const [input] = args as unknown as [tf.Tensor];
        return { value: tf.sum(input), gradFunc: () => constant };
      });
      const x = parameters.get('x');
      const found = valueAndGradients(
        parameters,
        () => tf.add(operation(x), operation(tf.neg(x))) as tf.Scalar,
      );
      expect(values(found.gradients['x'])).toEqual([0, 0, 0]);
      tf.dispose(found.gradients['x']!);
      expect(values(constant)).toEqual([5, 6, 7]);
      return [constant, found.value];
    });
    expect(thrown).toBeUndefined();
  });

  it('gives two parameters tensors of their own when their gradients are one', async () => {
    const thrown = await withParameters((parameters) => {
      const other = parameters.add('other', tf.tensor1d([4, 5, 6]));
      const add = tf.customGrad((...args) => {
        const [a, b] = args as unknown as [tf.Tensor, tf.Tensor];
        return { value: tf.add(a, b), gradFunc: (dy) => [dy, dy] as tf.Tensor[] };
      });
      const found = valueAndGradients(
        parameters,
        () => tf.sum(tf.square(add(parameters.get('x'), other))) as tf.Scalar,
      );
      tf.dispose(found.gradients['x']!);
      expect(values(found.gradients['other'])).toEqual([10, 14, 18]);
      return [found.value, found.gradients['other']];
    });
    expect(thrown).toBeUndefined();
  });

  it.each(['forward', 'backward'] as const)('leaks nothing when the %s throws', async (where) => {
    const thrown = await withParameters((parameters) => {
      const x = parameters.get('x');
      return valueAndGradients(parameters, () => {
        const early = tf.mul(tf.exp(x), tf.square(x));
        return tf.add(throwing(x, where), tf.sum(early)) as tf.Scalar;
      });
    });
    expect(String(thrown)).toContain(`thrown in ${where}`);
  });

  it('leaks nothing when f itself throws, but leaves what the caller keeps', async () => {
    let kept: tf.Tensor | undefined;
    const thrown = await withParameters((parameters) => {
      const x = parameters.get('x');
      try {
        return valueAndGradients(parameters, () => {
          kept = tf.keep(tf.exp(x));
          throw new Error('thrown in f');
        });
      } finally {
        expect(kept!.isDisposed).toBe(false);
        kept!.dispose();
      }
    });
    expect(String(thrown)).toContain('thrown in f');
    expect(tf.engine().state.gradientDepth).toBe(0);
  });

  it('explains a loss that is no scalar or depends on nothing', async () => {
    const vector = await withParameters((parameters) =>
      valueAndGradients(parameters, () => tf.square(parameters.get('x')) as tf.Scalar),
    );
    expect(vector).toMatchObject({ code: 'LAB_MODEL' });
    expect(String(vector)).toContain('the loss has shape [3], a scalar is needed');
    const constant = await withParameters((parameters) =>
      valueAndGradients(parameters, () => tf.scalar(1)),
    );
    expect(String(constant)).toContain('depends on none of the 2 parameters');
    const nested = await withParameters((parameters) =>
      valueAndGradients(
        parameters,
        () => valueAndGradients(parameters, () => tf.sum(parameters.get('x'))).value,
      ),
    );
    expect(String(nested)).toContain('inside another gradient');
  });

  it('names an operation without a gradient', async () => {
    const thrown = await withParameters((parameters) =>
      valueAndGradients(parameters, () => tf.sum(tf.cumprod(parameters.get('x'))) as tf.Scalar),
    );
    expect(String(thrown)).toContain('operation Cumprod has no gradient');
  });
});

describe('eachValueAndGradients', () => {
  beforeAll(async () => {
    await selectBackend('wasm');
  });

  it('visits several scalars of one forward pass', async () => {
    const thrown = await withParameters((parameters) => {
      const x = parameters.get('x');
      let forwardPasses = 0;
      const seen: number[][] = [];
      eachValueAndGradients(
        parameters,
        () => {
          forwardPasses += 1;
          const shared = tf.square(x);
          return [tf.sum(shared), tf.sum(tf.mul(shared, x)), tf.mean(shared)];
        },
        ({ value, gradients }, index) => {
          seen.push([index, ...values(value), ...values(gradients['x'])]);
          tf.dispose([value, gradients['x']!]);
        },
      );
      expect(forwardPasses).toBe(1);
      expect(seen.slice(0, 2)).toEqual([
        [0, 14, 2, 4, 6],
        [1, 36, 3, 12, 27],
      ]);
      expect(seen[2]!.map((value) => value.toFixed(4))).toEqual(
        [2, 14 / 3, 2 / 3, 4 / 3, 2].map((value) => value.toFixed(4)),
      );
    });
    expect(thrown).toBeUndefined();
  });

  it('leaks nothing when the visitor throws', async () => {
    const thrown = await withParameters((parameters) => {
      const x = parameters.get('x');
      eachValueAndGradients(
        parameters,
        () => [tf.sum(tf.square(x)), tf.sum(tf.exp(x))],
        ({ value, gradients }) => {
          tf.dispose([value, gradients['x']!]);
          throw new Error('thrown by the visitor');
        },
      );
    });
    expect(String(thrown)).toContain('thrown by the visitor');
  });

  it('frees what the layers saved as the backward pass goes', () => {
    const parameters = createParameters();
    const x = parameters.add('x', tf.fill([1000], 0.5));
    const layers = 50;
    const counts: number[] = [];
    const count = tf.customGrad((...args) => {
      const [input] = args as unknown as [tf.Tensor];
      const gradFunc = (dy: tf.Tensor): tf.Tensor => {
        counts.push(tf.memory().numTensors);
        return tf.clone(dy);
      };
      return { value: tf.clone(input), gradFunc: gradFunc as () => tf.Tensor };
    });
    const found = valueAndGradients(parameters, () => {
      let y: tf.Tensor = x;
      for (let i = 0; i < layers; i += 1) y = count(tf.sin(y));
      return tf.sum(y);
    });
    expect(counts).toHaveLength(layers);
    // One saved tensor less with each layer passed.
    expect(counts[0]! - counts.at(-1)!).toBeGreaterThanOrEqual(layers - 1);
    tf.dispose([found.value, found.gradients['x']!]);
    parameters.dispose();
  });
});
