/**
 * Signals that end calls, cheap enough for thousands of calls a second: an `AbortSignal` of Node
 * costs more to make, and to listen to, than a whole row does otherwise.
 */

type Listener = () => void;

/** What may end a call. */
export type EndSignal = AbortSignal | CallSignal;

/** The signal of one call, in place of an `AbortController` with its signal. */
export class CallSignal {
  /** @internal */
  readonly listeners = new Set<Listener>();
  #isAborted = false;
  #reason: unknown;

  get aborted(): boolean {
    return this.#isAborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** Ends the call; the first reason stays. */
  abort(reason: unknown): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#reason = reason;
    tell(this.listeners);
  }
}

/** Listeners of signals that calls share: of each only one stands with the signal itself. */
const shared = new WeakMap<AbortSignal, Set<Listener>>();

/** Calls `listener` once the signal is aborted; one that is aborted already never calls. */
export function onAbort(signal: EndSignal, listener: Listener): void {
  listenersOf(signal).add(listener);
}

/** Takes a listener away. */
export function offAbort(signal: EndSignal, listener: Listener): void {
  listenersOf(signal).delete(listener);
}

function listenersOf(signal: EndSignal): Set<Listener> {
  if (signal instanceof CallSignal) return signal.listeners;
  let listeners = shared.get(signal);
  if (listeners === undefined) {
    const made = new Set<Listener>();
    listeners = made;
    shared.set(signal, made);
    signal.addEventListener('abort', () => tell(made), { once: true });
  }
  return listeners;
}

function tell(listeners: Set<Listener>): void {
  for (const listener of listeners) {
    listeners.delete(listener);
    listener();
  }
}
