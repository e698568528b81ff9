import { tf } from '../tfjs.js';

/** What a gradient rule sees: the output's gradient and what the forward pass kept. */
export interface RuleInput {
  readonly dy: tf.Tensor;
  /** Gradients of all outputs, for operations with several. */
  readonly dys: readonly tf.Tensor[];
  /** Kept inputs, then kept outputs, in the order of the rule. */
  readonly saved: readonly tf.Tensor[];
  attribute<T>(name: string): T;
}

/** Gradient of one operation: one function per input, called for the inputs that need it. */
export interface GradientRule {
  readonly kernelName: string;
  /** Inputs kept for the backward pass. */
  readonly inputs?: readonly string[];
  /** Whether output i is kept. */
  readonly outputs?: readonly boolean[];
  readonly rule: (input: RuleInput) => Record<string, () => tf.Tensor>;
}

/** Name of the kernel, where a backend has it, that multiplies `dy` with a derivative. */
export const derivativeKernel = (kernelName: string): string => `Lab${kernelName}Gradient`;

/** Registers a rule, in place of any other for the same operation. */
export function registerRule({ kernelName, inputs, outputs, rule }: GradientRule): void {
  tf.registerGradient({
    kernelName,
    ...(inputs === undefined ? {} : { inputsToSave: [...inputs] }),
    ...(outputs === undefined ? {} : { outputsToSave: [...outputs] }),
    gradFunc: (dy, saved, attrs) => {
      const dys = Array.isArray(dy) ? dy : [dy];
      const attribute = <T>(name: string) => attrs[name] as T;
      return rule({ dy: dys[0] as tf.Tensor, dys, saved, attribute });
    },
  });
}
