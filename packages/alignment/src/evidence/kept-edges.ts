/**
 * How much of one graph a set of matches carries over into the other.
 */
import { type AlignmentData, neighbourGraph } from '@lab/graph';
import type { CsrArrays } from '@lab/tensor';

/** Counts edges that matches keep. */
export interface EdgeCounter {
  /**
   * Edges of the first graph whose two ends are partners of the ends of an edge of the second.
   *
   * @param partners - partner of each entity of the first graph, -1 for none, `[N]`.
   */
  keptBy(partners: Int32Array): number;
}

/** A counter for two graphs: edges without direction, each once, no loops. */
export function createEdgeCounter(
  data: Pick<AlignmentData, 'entityCount' | 'triples' | 'left' | 'sides'>,
): EdgeCounter {
  const graph = neighbourGraph(data, { selfLoops: false });
  const neighboursOf = (entity: number) =>
    graph.columns.subarray(graph.rowPointers[entity], graph.rowPointers[entity + 1]);
  const [heads, tails]: [number[], number[]] = [[], []];
  for (const entity of data.left) {
    for (const other of neighboursOf(entity)) {
      if (other <= entity || data.sides[other] !== data.sides[entity]) continue;
      heads.push(entity);
      tails.push(other);
    }
  }
  return {
    keptBy: (partners) => {
      let kept = 0;
      for (let edge = 0; edge < heads.length; edge += 1) {
        const one = partners[heads[edge]!]!;
        const other = partners[tails[edge]!]!;
        if (one < 0 || other < 0 || one === other) continue;
        if (isNeighbour(graph, one, other)) kept += 1;
      }
      return kept;
    },
  };
}

/** Whether there is an edge; columns of a row ascend. */
function isNeighbour({ rowPointers, columns }: CsrArrays, one: number, other: number): boolean {
  let [low, high] = [rowPointers[one]!, rowPointers[one + 1]!];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (columns[middle]! < other) low = middle + 1;
    else high = middle;
  }
  return low < rowPointers[one + 1]! && columns[low] === other;
}
