/**
 * What the options of passes may be, whatever the model; their meaning and defaults stand at their
 * interfaces.
 */
import { hasFields, objectWith, optionFields } from '@lab/core';
import { z } from 'zod';

/** Whether a value is a list of numbers, typed or not; what it holds is not looked at. */
const isRow = (value: unknown): boolean =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);

const isListOf = (value: unknown, isOne: (one: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isOne);

const rows = z.custom(
  (value) => isListOf(value, isRow),
  'must be a list of lists of numbers, one for each text',
);

/** As {@link rows}, of one number for each text. */
const ofTexts = z.custom(isRow, 'must be a list of ids, one for each text');

/** Names of places. */
const names = z.custom(
  (value) => typeof value === 'string' || typeof value === 'function' || value instanceof RegExp,
  'must be a name, a pattern or a function (several names: (name) => list.includes(name))',
);

const isHook = (value: unknown) =>
  hasFields(value, 'names', 'run') && typeof (value as { run: unknown }).run === 'function';

/** Fields that many calls with a model take. */
export const passFields = {
  rows,
  ofTexts,
  names,
  hooks: z
    .custom((value) => isListOf(value, isHook), 'must be a list of hooks { names, run }')
    .optional(),
  // What each of them says is checked where its hook is made.
  interventions: z
    .custom(
      (value) => isListOf(value, (one) => hasFields(one)),
      'must be a list of interventions { kind, site, ... }',
    )
    .optional(),
  callback: optionFields.callback.unwrap(),
  pass: objectWith(['residuals', 'logits'], 'must be a pass { residuals, logits }').optional(),
  tensor: objectWith(['shape', 'dtype'], 'must be a tensor').optional(),
  /** Tokens that a lens lists. */
  top: z.int().min(1).optional(),
  signal: optionFields.signal,
} as const;

/** Texts as ids. */
export const tokenFields = { ids: rows, mask: rows.optional() } as const;
