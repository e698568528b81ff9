import { tf } from './tfjs.js';

/** The engine's scope calls, which `tf.tidy` is made of. */
const engine = () => tf.engine();

/**
 * What `body` resolves to; every other tensor created inside, before or after an `await`, is
 * disposed of when it settles, also when it throws.
 *
 * `tf.tidy` ends at the first `await`; this does not. Tensors survive when they are returned (at
 * any depth of arrays and plain objects) or passed to `keep`. Scopes may be nested, but two scopes
 * must not be open side by side (`Promise.all`): the engine has one stack of them.
 *
 * @param body - receives `keep`, which marks a tensor or container as surviving and returns it.
 */
export async function scope<T>(body: (keep: <X>(x: X) => X) => Promise<T>): Promise<T> {
  const kept: unknown[] = [];
  const keep = <X>(x: X): X => {
    kept.push(x);
    return x;
  };
  engine().startScope('scope');
  let result: T | undefined;
  try {
    result = await body(keep);
    return result;
  } finally {
    engine().endScope([result, kept] as unknown as tf.TensorContainer);
  }
}
