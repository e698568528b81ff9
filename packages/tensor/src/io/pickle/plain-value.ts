import type { ArrayRecord } from '../array-record.js';
import type { PickleMachine } from './machine.js';

/** What a pickle may hold: dicts are Maps, lists are arrays, tuples are frozen arrays. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | ArrayRecord
  | readonly PickleValue[]
  | ReadonlyMap<PickleValue, PickleValue>;

type Container = readonly unknown[] | ReadonlyMap<unknown, unknown>;

const maxDepth = 1000;
const maxExpanded = 100_000_000;

/** One container on the way from the root to the value looked at. */
interface Visit {
  container: Container;
  children: Iterator<unknown>;
  /** Values below, as if nothing were shared. */
  expanded: number;
}

/**
 * The value, after a walk that makes sure that it is a finite tree of plain data.
 *
 * @param machine - for errors, and to know what is not data.
 * @param root - the result of the pickle.
 * @throws {DataError} when it holds a function, class or dtype, contains itself, is nested deeper
 * than 1000 levels, or shares parts so often that it would unfold into over 100 million values.
 */
export function plainValue(machine: PickleMachine, root: unknown): PickleValue {
  const finished = new Map<Container, number>();
  const open = new Set<Container>();
  const path: Visit[] = [];
  const enter = (value: unknown): number => {
    if (machine.arrays.isInternal(value)) {
      throw machine.refusal('holds a function, a class, a dtype or an unfinished array');
    }
    if (!isContainer(value)) return 1;
    const known = finished.get(value);
    if (known !== undefined) return known;
    if (open.has(value)) throw machine.failure('holds a list or dict that contains itself');
    if (path.length >= maxDepth) throw machine.failure(`is nested deeper than ${maxDepth} levels`);
    open.add(value);
    path.push({ container: value, children: childrenOf(value), expanded: 1 });
    return 0;
  };
  enter(root);
  for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
    const next = visit.children.next();
    if (next.done !== true) {
      visit.expanded += enter(next.value);
      continue;
    }
    path.pop();
    open.delete(visit.container);
    finished.set(visit.container, visit.expanded);
    const parent = path.at(-1);
    if (parent !== undefined) parent.expanded += visit.expanded;
    if (visit.expanded > maxExpanded) throw machine.failure('unfolds into too many values');
  }
  return root as PickleValue;
}

function isContainer(value: unknown): value is Container {
  return Array.isArray(value) || value instanceof Map;
}

function* childrenOf(container: Container): Iterator<unknown> {
  if (!(container instanceof Map)) {
    yield* container as readonly unknown[];
    return;
  }
  for (const [key, value] of container) {
    yield key;
    yield value;
  }
}
