import { DataError, ModelError, ShapeError } from '@lab/core';
import { tf } from '../tfjs.js';

/** A parameter's values on the JavaScript side: row-major float32. */
export interface ParameterArray {
  shape: number[];
  data: Float32Array;
}

/** The named trainable tensors of a model, in the order in which they were added. */
export interface Parameters {
  /** Returns the new variable; takes `tensor` over (it is disposed). Float32 only. */
  add(name: string, tensor: tf.Tensor): tf.Variable;
  /** Returns the variable of that name, or throws a ModelError that lists the names. */
  get(name: string): tf.Variable;
  /** Returns the names in the order of addition. */
  names(): string[];
  /** Returns the number of scalars in all parameters together. */
  count(): number;
  /** Returns the variables in the order of addition. */
  variables(): tf.Variable[];
  /** Returns a copy of every parameter's values. */
  toArrays(): Promise<Record<string, ParameterArray>>;
  /** Sets every parameter from a record of {@link toArrays}' form; names and shapes must agree. */
  load(record: Readonly<Record<string, LoadableArray>>): void;
  /** Frees every parameter; the container is empty afterwards. */
  dispose(): void;
}

/** What {@link Parameters.load} takes: `toArrays` output or a record read from a file. */
export interface LoadableArray {
  shape: readonly number[];
  data: ArrayLike<number> | BigInt64Array | BigUint64Array;
}

/**
 * Creates an empty, named container of trainable tensors.
 *
 * Names are unique inside one container only, so two models may use the same names.
 *
 * @returns the container; the caller disposes it.
 *
 * @example
 * const parameters = createParameters();
 * parameters.add('weight', tf.zeros([3, 2]));
 * parameters.count(); // => 6
 */
export function createParameters(): Parameters {
  const variables = new Map<string, tf.Variable>();
  return {
    add: (name, tensor) => addParameter(variables, name, tensor),
    get: (name) => getParameter(variables, name),
    names: () => [...variables.keys()],
    count: () => [...variables.values()].reduce((sum, variable) => sum + variable.size, 0),
    variables: () => [...variables.values()],
    toArrays: () => readParameters(variables),
    load: (record) => loadParameters(variables, record),
    dispose() {
      for (const variable of variables.values()) variable.dispose();
      variables.clear();
    },
  };
}

function addParameter(variables: Map<string, tf.Variable>, name: string, tensor: tf.Tensor) {
  if (variables.has(name)) {
    throw new ModelError(`tensor/parameters: a parameter "${name}" is there already.`, {
      help: 'Give each parameter its own name.',
      details: { name },
    });
  }
  if (tensor.dtype !== 'float32') {
    throw new ModelError(
      `tensor/parameters: parameter "${name}" is ${tensor.dtype}, parameters are float32.`,
      { help: "Cast it: tf.cast(x, 'float32').", details: { name, dtype: tensor.dtype } },
    );
  }
  const variable = tf.variable(tensor);
  tensor.dispose();
  variables.set(name, variable);
  return variable;
}

function getParameter(variables: Map<string, tf.Variable>, name: string): tf.Variable {
  const variable = variables.get(name);
  if (variable !== undefined) return variable;
  const names = [...variables.keys()];
  throw new ModelError(
    `tensor/parameters: there is no parameter "${name}"; the ${names.length} names are ` +
      `${names.join(', ')}.`,
    { help: 'Add it before using it.', details: { name, names } },
  );
}

async function readParameters(variables: Map<string, tf.Variable>) {
  const record: Record<string, ParameterArray> = {};
  for (const [name, variable] of variables) {
    const data = (await variable.data<'float32'>()).slice();
    record[name] = { shape: variable.shape.slice(), data };
  }
  return record;
}

function loadParameters(
  variables: Map<string, tf.Variable>,
  record: Readonly<Record<string, LoadableArray>>,
): void {
  const missing = [...variables.keys()].filter((name) => !Object.hasOwn(record, name));
  const unknown = Object.keys(record).filter((name) => !variables.has(name));
  if (missing.length + unknown.length > 0) {
    throw new DataError(
      `tensor/parameters: the record does not fit the model: ${missing.length} missing ` +
        `(${missing.slice(0, 5).join(', ')}), ${unknown.length} unknown ` +
        `(${unknown.slice(0, 5).join(', ')}).`,
      { help: 'Load the file of a model with the same settings.', details: { missing, unknown } },
    );
  }
  for (const [name, variable] of variables) assertFits(name, variable, record[name]!);
  for (const [name, variable] of variables) {
    const data = float32Copy(record[name]!.data);
    const fresh = tf.tensor(data, variable.shape, 'float32');
    variable.assign(fresh);
    fresh.dispose();
  }
}

/** The numbers as a Float32Array of its own. */
export function float32Copy(data: LoadableArray['data']): Float32Array {
  if (data instanceof Float32Array) return data.slice();
  return Float32Array.from(data as ArrayLike<number>, Number);
}

function assertFits(name: string, variable: tf.Variable, array: LoadableArray): void {
  const expected = `[${variable.shape.join(', ')}]`;
  const got = `[${array.shape.join(', ')}]`;
  if (expected !== got || array.data.length !== variable.size) {
    throw new ShapeError(
      `tensor/parameters: "${name}" has shape ${expected}, the record has ${got} with ` +
        `${array.data.length} values.`,
      { expected, got, help: 'Load the file of a model with the same sizes.', details: { name } },
    );
  }
}
