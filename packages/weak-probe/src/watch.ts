/**
 * A monitor at a model's side: each new token with what the state it comes from says.
 */
import { ConfigError } from '@lab/core';
import { tf } from '@lab/tensor';
import { createGenerationEngine, type Hook, type Model, type Tokenizer } from '@lab/transformer';
import type { Monitor, StreamOptions, StreamReading } from './monitor.js';
import { type SiteOptions, statePlaces } from './state-places.js';
import type { CallOptions } from './state-rows.js';
import { assertState, type StateSite } from './state-store.js';

/** A new token, and the state that it was made from. */
export interface WatchedToken {
  readonly id: number;
  /** Text that is certain with it; all of them together are the response. */
  readonly text: string;
  /** Of the state of the token before: the last of the prompt for the first new one. */
  readonly reading: StreamReading;
}

/** What is watched. */
export interface WatchOptions extends Pick<CallOptions, 'signal'>, StreamOptions {
  readonly monitor: Monitor;
  /** Ids of the prompt, in the format that the monitor was made with. */
  readonly prompt: readonly number[];
  /** Fingerprint of the model, for the monitor to refuse another one's states. */
  readonly fingerprint?: string | undefined;
  /** Default 64. */
  readonly maxNewTokens?: number | undefined;
  /** Whether the response ends with the token at which the alarm is raised; default false. */
  readonly stopsAtAlarm?: boolean | undefined;
}

/**
 * Generates greedily and reads the monitored state before every new token, in the same pass.
 *
 * @throws {ConfigError} for a monitor of pooled tokens, or of a state that the model does not have.
 * @throws {MonitorError} for another model.
 */
export async function* watchGeneration(
  model: Model,
  tokenizer: Tokenizer,
  options: WatchOptions,
): AsyncGenerator<WatchedToken> {
  const { monitor, prompt, maxNewTokens = 64, stopsAtAlarm = false, signal } = options;
  const { weight, patience, fingerprint } = options;
  const place = placeOf(model, monitor);
  const stream = monitor.stream({
    ...(weight !== undefined && { weight }),
    ...(patience !== undefined && { patience }),
  });
  const states = new PassStates(place);
  const engine = createGenerationEngine(model, { tokenizer });
  try {
    const hooks = [states.hook];
    const tokens = engine.submit({ prompt, hooks, maxNewTokens, signal });
    let step = 0;
    for await (const { id, text } of tokens) {
      const state = await states.take(step);
      // Who made the state is the same for all of them.
      if (step === 0) monitor.read(state, fingerprint);
      const reading = stream.read(state);
      step += 1;
      yield { id, text, reading };
      if (stopsAtAlarm && reading.isRaised) return;
    }
    signal?.throwIfAborted();
  } finally {
    await engine.dispose();
    states.dispose();
  }
}

/** The place of the monitored state, where one token is one row. */
function placeOf({ architecture }: Model, { bundle }: Monitor): string {
  const { site, positions, isNormed, state } = bundle;
  if (positions !== 'last' && positions !== 'tokens') {
    throw new ConfigError(`weak-probe/watch: the monitor reads positions ${positions}.`, {
      help: 'Make it from states of the last token: states.positions=last.',
    });
  }
  const options: SiteOptions = { site: site as StateSite, isNormed };
  const places = statePlaces(architecture, options);
  assertState(state, places.length);
  return places[state]!.name;
}

/** The state of the last token of each pass, until it is taken. */
class PassStates {
  readonly hook: Hook;
  private readonly kept = new Map<number, tf.Tensor>();

  constructor(place: string) {
    this.hook = {
      names: place,
      run: (value, { step = 0 }) => {
        // A long prompt is read in several parts: the last one counts.
        this.kept.get(step)?.dispose();
        this.kept.set(step, tf.keep(lastToken(value)));
      },
    };
  }

  /** The state of a step. */
  async take(step: number): Promise<Float32Array> {
    const value = this.kept.get(step)!;
    const data = Float32Array.from(await value.data());
    value.dispose();
    this.kept.delete(step);
    return data;
  }

  dispose(): void {
    for (const value of this.kept.values()) value.dispose();
    this.kept.clear();
  }
}

/** Values of the last token of `[1, T, ...]`, flat. */
function lastToken(value: tf.Tensor): tf.Tensor {
  const [, length = 1, ...rest] = value.shape;
  const width = tf.util.sizeFromShape(rest);
  return tf.reshape(tf.slice(tf.reshape(value, [length, width]), [length - 1, 0], [1, width]), [
    width,
  ]);
}
