import { MultiDirectedGraph } from 'graphology';
import { describe, expect, it } from 'vitest';
import { smallFolder } from './__fixtures__/small-folder.js';
import { readAlignmentFolder } from './alignment-folder.js';
import { fromGraphology, toGraphology } from './graphology.js';

describe('toGraphology', () => {
  it('writes nodes with names and attributes, an edge per triple', async () => {
    const data = await readAlignmentFolder(smallFolder());
    const graph = toGraphology(data, new MultiDirectedGraph());
    expect(graph.order).toBe(6);
    expect(graph.size).toBe(4);
    expect(graph.getNodeAttributes('0')).toEqual({
      name: 'en/Paris',
      side: 1,
      attributes: ['area', 'mayor'],
    });
    expect(graph.edges('7', '0')).toHaveLength(2);
    expect(graph.getEdgeAttributes(graph.edges('2', '0')[0])).toEqual({
      kind: 'triple',
      relation: 'capital',
    });
  });

  it('writes one side, or the links too', async () => {
    const data = await readAlignmentFolder(smallFolder());
    const right = toGraphology(data, new MultiDirectedGraph(), { side: 2 });
    expect([right.order, right.size]).toEqual([3, 1]);
    const linked = toGraphology(data, new MultiDirectedGraph(), { links: true });
    expect(linked.size).toBe(4 + 2);
    expect(linked.getEdgeAttribute(linked.edges('0', '3')[0], 'kind')).toBe('link');
  });
});

describe('fromGraphology', () => {
  it('gives back what was written, side by side', async () => {
    const data = await readAlignmentFolder(smallFolder());
    const sides = ([1, 2] as const).map((side) =>
      toGraphology(data, new MultiDirectedGraph(), { side }),
    );
    const [left, right] = sides as [MultiDirectedGraph, MultiDirectedGraph];
    const links = [
      ['0', '3'],
      ['2', '4'],
    ] as const;
    const read = fromGraphology({ left, right, links, name: 'small' });
    expect(read.triples.leftCount).toBe(3);
    expect([...read.triples.heads]).toEqual([...data.triples.heads]);
    expect(read.relationNames).toEqual(['capital', 'flows', 'capitale']);
    expect(read.attributes).toEqual(data.attributes);
    expect(read.links).toEqual(data.links);
    expect(read).toMatchObject({ name: 'small', keyedBy: 'name' });
  });

  it('names edges without relation, and refuses bad links and empty graphs', () => {
    const left = new MultiDirectedGraph();
    left.mergeEdge('a', 'b');
    const pair = { left, right: left };
    expect(fromGraphology(pair).relationNames).toEqual(['related']);
    expect(() => fromGraphology({ ...pair, links: [['a', 'z']] })).toThrow(
      /"z" is no entity of KG2/,
    );
    const empty = new MultiDirectedGraph();
    expect(() => fromGraphology({ left, right: empty })).toThrow(/KG2 has no edges/);
  });
});
