/**
 * Work that gives way to sockets.
 */
import { setImmediate } from 'node:timers';

/** So much of the work is done before sockets have their turn. */
const SLICE = Number(process.env.ZZS ?? 8);

let waiting: (() => void)[] = [];

/**
 * Does some work once the sockets that are ready in this turn of the event loop were read, and what
 * that caused to be sent is on its way: answers often come many at once, and a request that waits
 * for others to be read loses that time at the server. One after the other, in the order given;
 * the work may not throw.
 */
export function afterSockets(work: () => void): void {
  waiting.push(work);
  // Connections are written to at the end of the turn; the next turn begins with sockets.
  if (waiting.length === 1) setImmediate(() => setImmediate(workOn));
}

function workOn(): void {
  for (const work of waiting.slice(0, SLICE)) work();
  waiting = waiting.slice(SLICE);
  if (waiting.length > 0) setImmediate(workOn);
}
