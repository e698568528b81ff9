/**
 * What several library calls of an alignment take, as types for the schemas of their options. The
 * schema of a call stands beside the interface of its options.
 */
import { hasFields, objectWith } from '@lab/core';
import { z } from 'zod';

/** Whether data are read already. */
export const isTask = (value: unknown): boolean => hasFields(value, 'data', 'split');

/** What several calls take. */
export const callFields = {
  task: z.custom(isTask, 'must be a task, as readTask gives it'),
  method: objectWith(['name', 'createLearner'], 'must be a method'),
  resolved: objectWith(['config', 'origins'], 'must be a config, as resolveConfig gives it'),
  confidence: z
    .custom(
      (value) => value === null || hasFields(value, 'coefficients', 'intercept'),
      'must be a fitted confidence or null',
    )
    .optional(),
} as const;
