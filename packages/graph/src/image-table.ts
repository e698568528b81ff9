import type { OnDefect } from '@lab/core';
import type { EntityTable } from './entity-table.js';
import type { ImageVectors } from './knowledge-graph.js';

/** What the readers of image files share. */
export interface ImageReading {
  readonly entities: EntityTable;
  readonly onDefect: OnDefect;
  readonly remarks: string[];
}

/** Path of the only image file of a folder, undefined when there is none. */
export function findImageFile(_dir: string, _onDefect: OnDefect): string | undefined {
  return undefined;
}

/** Image vectors of a file and the files that were read for them. */
export async function readImageFile(
  path: string,
  _reading: ImageReading,
): Promise<{ images: ImageVectors | null; files: string[] }> {
  return { images: null, files: [path] };
}
