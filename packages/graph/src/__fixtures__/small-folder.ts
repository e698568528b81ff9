import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';

/** Files of a small but complete folder: ids with gaps, one entity without triples. */
export const smallFiles: Readonly<Record<string, string>> = {
  ent_ids_1: '0\ten/Paris\n2\ten/France\n7\ten/Seine\n',
  ent_ids_2: '3\tfr/Paris\n4\tfr/France\n9\tfr/Loire\n',
  rel_ids_1: '0\tcapital\n1\tflows\n',
  rel_ids_2: '5\tcapitale\n',
  triples_1: '2\t0\t0\n7\t1\t0\n7\t1\t0\n',
  triples_2: '4\t5\t3\n',
  ill_ent_ids: '0\t3\n2\t4\n',
  training_attrs_1: 'en/Paris\tarea\tmayor\nen/Seine\tlength\n',
  training_attrs_2: 'fr/Paris\tmayor\tarea\tmayor\n',
};

/**
 * Path of a new folder with {@link smallFiles}, changed by `edits`: another content, or null to
 * leave the file out.
 */
export function smallFolder(
  edits: Readonly<Record<string, string | Uint8Array | null>> = {},
): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries({ ...smallFiles, ...edits })) {
    const path = join(folder, name);
    if (content === null) rmSync(path, { force: true });
    else writeFileSync(path, content);
  }
  return folder;
}
