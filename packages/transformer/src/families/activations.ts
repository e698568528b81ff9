/** Activation functions of MLPs, as configs name them. */
import type { Activation } from '../architecture.js';
import type { ConfigFields } from '../config-fields.js';

/** Activations by the names that configs have for them. */
const activations: Readonly<Record<string, Activation>> = {
  gelu: 'gelu',
  gelu_new: 'gelu-tanh',
  gelu_pytorch_tanh: 'gelu-tanh',
  gelu_fast: 'gelu-tanh',
  gelu_accurate: 'gelu-tanh',
  gelu_python: 'gelu',
  gelu_python_tanh: 'gelu-tanh',
  quick_gelu: 'quick-gelu',
  relu: 'relu',
  relu2: 'relu-squared',
  silu: 'silu',
  swish: 'silu',
  tanh: 'tanh',
};

/** The activation of a name. */
export const activationNamed = (name: string): Activation | undefined =>
  Object.hasOwn(activations, name) ? activations[name] : undefined;

/** The activation that a field names. */
export function readActivation(config: ConfigFields, field: string, fallback?: string): Activation {
  const found = activationNamed(config.text(field, fallback));
  if (found === undefined)
    throw config.wrong(field, `one of ${Object.keys(activations).join(', ')}`);
  return found;
}
