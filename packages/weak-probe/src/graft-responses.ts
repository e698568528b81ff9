/**
 * Whole responses to prompts with grafted states.
 */
import type { Model, Tokenizer } from '@lab/transformer';
import { type GraftSettings, type GraftSpan, graftInterventions, rowNorms } from './grafting.js';
import { assertParties, type GraftParties, type GraftSource, vectorsAt } from './graft-vectors.js';
import type { EncodedPrompt } from './hidden-states.js';
import { type RespondOptions, respondTo, type ResponseRecord } from './responses.js';
import { rowOf } from './state-rows.js';

/** What is grafted into whom, for whole responses. */
export interface GraftResponseInput extends GraftParties, GraftSettings, GraftSpan, RespondOptions {
  readonly recipients: readonly EncodedPrompt[];
  /** Default `mean`. */
  readonly source?: GraftSource | undefined;
  /** Recipients among those given; default all. */
  readonly rows?: readonly number[] | undefined;
}

/**
 * Responses of recipients with a graft at one state. Keys and values are those that the graft's
 * span says, see {@link GraftSpan}.
 *
 * @throws as `graftInterventions`, `graftVectors` and `respondTo`.
 */
export async function graftedResponses(
  model: Model,
  tokenizer: Tokenizer,
  input: GraftResponseInput,
): Promise<ResponseRecord[]> {
  const { recipients, source = 'mean', state } = input;
  const { rows = recipients.map((_, row) => row) } = input;
  assertParties(model, input, recipients.length);
  const { architecture } = model;
  const { width } = architecture;
  const vectors = await vectorsAt(input, { source, state, rows });
  const norms = rowNorms(await input.recipientStates.readState(state), width);
  const { semantics, share, isNormMatched, positions, steps, context } = input;
  const prompts = rows.map((row, at) => {
    const prompt = recipients[row]!;
    const graft = {
      ...{ state, semantics, share, isNormMatched, positions, steps, context },
      ...{ vector: rowOf(vectors, at, width), promptLength: prompt.ids.length },
      ownNorm: norms[row]!,
    };
    return { prompt, interventions: graftInterventions(architecture, graft) };
  });
  return respondTo(model, tokenizer, prompts, input);
}
