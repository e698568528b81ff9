/** Remarks that several readers make, in the right number. */
import { formatCounted } from '@lab/core';

/** That repeated triples were left out. */
export function droppedRemark(count: number): string {
  return `${formatCounted(count, 'repeated triple')} ${count === 1 ? 'was' : 'were'} dropped.`;
}

/** That lines (`line of FILE`, `lines of FILE`) were left out because nobody knows their entity. */
export function ignoredRemark(count: number, singular: string, plural: string): string {
  const verb = count === 1 ? 'names' : 'name';
  return `${formatCounted(count, singular, plural)} ${verb} no known entity (ignored).`;
}
