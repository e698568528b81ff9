import { BackendError } from '@lab/core';
import type { Scheme } from '../palette.js';
import type { Browser } from './devtools.js';

/** How a page is looked at. */
export interface View {
  /** Width of the window in px. */
  readonly width: number;
  readonly scheme: Scheme;
  /** Whether scripts of the page run. */
  readonly hasScripts: boolean;
}

/** A page opened in the browser. */
export interface BrowserPage {
  /** Messages of the console that are errors or warnings, and uncaught exceptions. */
  readonly errors: readonly string[];
  /** Addresses asked for besides the page itself and data URIs. */
  readonly requests: readonly string[];
  /** Value of a JavaScript expression in the page, awaited, as plain data. */
  evaluate(expression: string): Promise<unknown>;
  /** Presses a key that has no character, such as Tab or Enter. */
  press(key: string): Promise<void>;
  /** Makes the window as high as the page, so that nothing has to be scrolled to. */
  fitHeight(): Promise<void>;
  /** PNG of the whole page, or of its first `height` px. */
  screenshot(options?: { height?: number; scale?: number }): Promise<Uint8Array>;
  close(): Promise<void>;
}

const WINDOW_HEIGHT = 900;

/** Opens an address under a view, and returns when it has loaded. */
export async function openPage(browser: Browser, url: string, view: View): Promise<BrowserPage> {
  const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' });
  const attached = await browser.send('Target.attachToTarget', { targetId, flatten: true });
  const sessionId = String(attached.sessionId);
  const send = (method: string, params?: object) => browser.send(method, params, sessionId);
  const log = recordEvents(browser, sessionId, url);
  await Promise.all(['Page', 'Runtime', 'Network', 'Log'].map((name) => send(`${name}.enable`)));
  const resize = (height: number) =>
    send('Emulation.setDeviceMetricsOverride', {
      width: view.width,
      height,
      deviceScaleFactor: 1,
      mobile: view.width < 600,
    });
  await resize(WINDOW_HEIGHT);
  const features = [{ name: 'prefers-color-scheme', value: view.scheme }];
  await send('Emulation.setEmulatedMedia', { features });
  await send('Emulation.setScriptExecutionDisabled', { value: !view.hasScripts });
  const { errorText } = await send('Page.navigate', { url });
  if (errorText) throw new BackendError(`report/testing: ${url} does not load: ${errorText}`);
  await log.loaded;
  return {
    errors: log.errors,
    requests: log.requests,
    evaluate: (expression) => evaluate(send, expression),
    press: (key) => pressKey(send, key),
    fitHeight: async () => {
      const { cssContentSize } = await send('Page.getLayoutMetrics');
      await resize(Math.ceil((cssContentSize as { height: number }).height));
    },
    screenshot: (options) => takePicture(send, options),
    close: async () => {
      log.stop();
      await browser.send('Target.closeTarget', { targetId });
    },
  };
}

const KEY_CODES: Record<string, number> = { Tab: 9, Enter: 13, Escape: 27 };

type Send = (method: string, params?: object) => Promise<Record<string, unknown>>;

async function pressKey(send: Send, key: string): Promise<void> {
  const code = { key, code: key, windowsVirtualKeyCode: KEY_CODES[key] ?? 0 };
  const text = key === 'Enter' ? { text: '\r' } : {};
  await send('Input.dispatchKeyEvent', { type: 'keyDown', ...code, ...text });
  await send('Input.dispatchKeyEvent', { type: 'keyUp', ...code });
}

interface EventLog {
  readonly errors: string[];
  readonly requests: string[];
  readonly loaded: Promise<void>;
  stop(): void;
}

function recordEvents(browser: Browser, sessionId: string, url: string): EventLog {
  const errors: string[] = [];
  const requests: string[] = [];
  let stop = () => {};
  const loaded = new Promise<void>((resolve) => {
    stop = browser.listen((event) => {
      if (event.sessionId !== sessionId) return;
      const message = problemOf(event.method, event.params);
      if (message !== undefined) errors.push(message);
      const request = event.method === 'Network.requestWillBeSent' ? event.params.request : null;
      const asked = request ? String((request as { url: string }).url) : undefined;
      if (asked !== undefined && asked !== url && !asked.startsWith('data:')) requests.push(asked);
      if (event.method === 'Page.loadEventFired') resolve();
    });
  });
  return { errors, requests, loaded, stop };
}

/** The text of an event that tells of something wrong; undefined for the others. */
function problemOf(method: string, params: Record<string, unknown>): string | undefined {
  if (method === 'Runtime.exceptionThrown') {
    const details = params.exceptionDetails as {
      text: string;
      exception?: { description?: string };
    };
    return details.exception?.description ?? details.text;
  }
  if (method === 'Runtime.consoleAPICalled' && ['error', 'warning'].includes(String(params.type))) {
    return JSON.stringify(params.args);
  }
  if (method === 'Log.entryAdded') {
    const entry = params.entry as { level: string; text: string };
    return ['error', 'warning'].includes(entry.level) ? entry.text : undefined;
  }
  return undefined;
}

async function evaluate(send: Send, expression: string): Promise<unknown> {
  const answer = await send('Runtime.evaluate', {
    expression,
    returnByValue: true,
    awaitPromise: true,
    userGesture: true,
  });
  const details = answer.exceptionDetails as
    | { text: string; exception?: { description?: string } }
    | undefined;
  if (details) {
    throw new BackendError(
      `report/testing: in the page: ${details.exception?.description ?? details.text}`,
    );
  }
  return (answer.result as { value?: unknown }).value;
}

async function takePicture(
  send: Send,
  { height, scale = 1 }: { height?: number; scale?: number } = {},
): Promise<Uint8Array> {
  const metrics = await send('Page.getLayoutMetrics');
  const size = metrics.cssContentSize as { width: number; height: number };
  const clip = { x: 0, y: 0, width: size.width, height: height ?? size.height, scale };
  const shot = await send('Page.captureScreenshot', {
    format: 'png',
    captureBeyondViewport: true,
    clip,
  });
  return Buffer.from(String(shot.data), 'base64');
}
