/** How far a long search is, on stderr. */
import { formatShare } from '@lab/core';
import type { CliContext } from '@lab/core/cli';
import type { SearchProgress } from '../search/approximate-nearest.js';

/** A progress callback that writes `text` and the share that is done. */
export const searchReporter =
  (context: Pick<CliContext, 'progress'>, text: string) =>
  ({ done, total }: SearchProgress): void => {
    const share = done / total;
    context.progress.update(`${text}  ${formatShare(share)}`, share);
  };
