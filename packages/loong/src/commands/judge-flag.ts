/** The flag that names judges of a run. */
import type { CliOption } from '@lab/core/cli';
import type { FlagValues } from '@lab/llm/commands';

/** Names judges; given several times, their mean counts. */
export const judgesFlag: CliOption = {
  flags: '--judge <name>',
  summary: 'model or folder of a judge, where there are several; given again, the mean of all',
  kind: 'repeated',
};

/** The judges that flags name; none where the run has one. */
export function judgesNamed({ judge }: FlagValues): string[] {
  return Array.isArray(judge) ? judge.map(String) : [];
}
