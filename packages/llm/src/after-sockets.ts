/**
 * Work that gives way to sockets.
 */
import { setImmediate } from 'node:timers';

/** So many pieces of work are done before sockets have their turn. */
const SLICE = 8;

const waiting: (() => void)[] = [];
let isDue = false;

/**
 * Does some work once the sockets that are ready in this turn of the event loop were read, and what
 * that caused to be sent is on its way: answers often come many at once, and a request that waits
 * for others to be read loses that time at the server. One after the other, in the order given;
 * the work may not throw.
 */
export function afterSockets(work: () => void): void {
  waiting.push(work);
  if (isDue) return;
  isDue = true;
  // Connections are written to at the end of the turn; the next turn begins with sockets.
  setImmediate(() => setImmediate(workOn));
}

function workOn(): void {
  for (const work of waiting.splice(0, SLICE)) work();
  isDue = waiting.length > 0;
  if (isDue) setImmediate(workOn);
}
