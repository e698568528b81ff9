/**
 * Puts replies on the wire, whole or broken.
 */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.js';
import type { CounterLedger } from './fake-counters.js';
import type { TimedReply } from './fake-model.js';
import type { BrokenReply, JsonReply, StreamReply } from './fake-reply.js';

/** What a delivery needs besides the reply. */
export interface Delivery {
  readonly response: ServerResponse;
  readonly ledger: CounterLedger;
  readonly hash: string;
  readonly clock: Clock;
  /** When the request was there, by the clock: delays are counted from then. */
  readonly arrivedMs: number;
  /** Aborted when the server closes. */
  readonly signal: AbortSignal;
}

/** Milliseconds for a client to read what came before a connection is reset. */
const resetMs = 5;

/** Sends a reply, at once or after its delay. */
export function deliver(delivery: Delivery, timed: TimedReply): void {
  if (timed.delayMs > 0 || (timed.eventMs > 0 && timed.reply.kind === 'stream')) {
    deliverLater(delivery, timed).catch((error: unknown) => {
      delivery.response.destroy(error instanceof Error ? error : undefined);
    });
    return;
  }
  send(delivery, timed);
}

async function deliverLater(delivery: Delivery, timed: TimedReply): Promise<void> {
  const { clock, signal, arrivedMs } = delivery;
  try {
    const passedMs = clock.now() - arrivedMs;
    await clock.sleep(Math.max(0, timed.delayMs - passedMs), signal);
    if (timed.reply.kind === 'stream' && timed.eventMs > 0) {
      await sendPaced(delivery, timed.reply, timed.eventMs);
    } else {
      send(delivery, timed);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function send(delivery: Delivery, { reply }: TimedReply): void {
  switch (reply.kind) {
    case 'json':
      return sendJson(delivery, reply);
    case 'stream':
      return sendStream(delivery, reply);
    case 'cut':
    case 'hang':
      return sendBroken(delivery, reply);
  }
}

function isGone(delivery: Delivery): boolean {
  if (!delivery.response.destroyed) return false;
  delivery.ledger.abandoned += 1;
  return true;
}

function sendJson(delivery: Delivery, reply: JsonReply): void {
  if (isGone(delivery)) return;
  const { response, ledger, hash } = delivery;
  if (reply.status >= 400) ledger.reject(hash);
  if (reply.usage !== undefined) ledger.pay(hash, reply.usage);
  response.writeHead(reply.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(reply.body),
    ...reply.headers,
  });
  // As text it goes out with the headers in one piece.
  response.end(reply.body);
}

function startStream({ response }: Delivery, reply: StreamReply): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    ...reply.headers,
  });
}

function sendStream(delivery: Delivery, reply: StreamReply): void {
  if (isGone(delivery)) return;
  startStream(delivery, reply);
  settle(delivery, reply);
  delivery.response.end(reply.events.join(''));
}

function settle({ ledger, hash }: Delivery, { usage }: StreamReply): void {
  if (usage === undefined) ledger.broken += 1;
  else ledger.pay(hash, usage);
}

async function sendPaced(delivery: Delivery, reply: StreamReply, eventMs: number): Promise<void> {
  const { response, clock, signal } = delivery;
  if (isGone(delivery)) return;
  startStream(delivery, reply);
  for (const [index, event] of reply.events.entries()) {
    if (index > 0) await clock.sleep(eventMs, signal);
    if (isGone(delivery)) return;
    if (index === reply.events.length - 1) settle(delivery, reply);
    response.write(event);
  }
  response.end();
}

function sendBroken(delivery: Delivery, reply: BrokenReply): void {
  if (isGone(delivery)) return;
  const { response, ledger } = delivery;
  ledger.broken += 1;
  if (reply.at === 'within-headers') {
    response.socket?.write('HTTP/1.1 200 OK\r\nContent-Type: applica', () => reset(delivery));
    return;
  }
  if (reply.at === 'mid-body') {
    startPart(delivery, reply.whole);
    if (reply.kind === 'cut') response.write('', () => reset(delivery));
    return;
  }
  if (reply.kind === 'cut') response.socket?.resetAndDestroy();
}

function startPart(delivery: Delivery, whole: JsonReply | StreamReply): void {
  const { response } = delivery;
  if (whole.kind === 'stream') {
    startStream(delivery, whole);
    response.write(whole.events.slice(0, Math.ceil(whole.events.length / 2)).join(''));
    return;
  }
  const data = Buffer.from(whole.body);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': data.length });
  response.write(data.subarray(0, Math.ceil(data.length / 2)));
}

function reset({ response, clock, signal }: Delivery): void {
  const end = (): void => {
    response.socket?.resetAndDestroy();
  };
  clock.sleep(resetMs, signal).then(end, end);
}
