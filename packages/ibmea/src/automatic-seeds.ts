/**
 * Seeds that were made from equal names, and how every output says so.
 */
import { formatCounted } from '@lab/core';
import type { LinkSplit } from '@lab/graph';

/** What `seedsFile` says when the seeds are to be made from names. */
export const AUTOMATIC_SEEDS = 'auto:names';

const MARK = 'AUTOMATIC';

/** Origin of such seeds; words that follow it say what was taken away. */
export const AUTOMATIC_ORIGIN = `${MARK}: unverified pairs of equal names`;

/** Whether seeds of this origin were made from names. */
export function isAutomatic(origin: string): boolean {
  return origin.startsWith(MARK);
}

/** Validation pairs in words; those that were cut from automatic seeds are said to be automatic. */
export function validationText(count: number, origin: string): string {
  if (!isAutomatic(origin)) return formatCounted(count, 'validation pair');
  return `${formatCounted(count, `${MARK} validation pair`)} (equal names, not verified)`;
}

/** Sentences for the user on automatic seeds and on what is measured on them; none for others. */
export function automaticWarnings({
  origin,
  validation,
}: Pick<LinkSplit, 'origin' | 'validation'>): string[] {
  if (!isAutomatic(origin)) return [];
  const cut =
    validation.length === 0
      ? ''
      : ` ${validationText(validation.length / 2, origin)} were cut from them: what is measured ` +
        'or calibrated on these is not verified either.';
  return [`The seeds are ${origin}.${cut}`];
}
