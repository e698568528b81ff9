/**
 * Seeds that were made from equal names, and how every output says so.
 */
import { formatCounted } from '@lab/core';
import type { LinkSplit } from '@lab/graph';
import { AUTOMATIC_ORIGIN } from './data.js';

/** Whether seeds of this origin were made from names. */
export function isAutomatic(origin: string): boolean {
  return origin === AUTOMATIC_ORIGIN || origin.startsWith(`${AUTOMATIC_ORIGIN} `);
}

/** Validation pairs in words; those that were cut from automatic seeds are said to be automatic. */
export function validationText(count: number, origin: string): string {
  if (!isAutomatic(origin)) return formatCounted(count, 'validation pair');
  return `${formatCounted(count, 'AUTOMATIC validation pair')} (equal names, not verified)`;
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
