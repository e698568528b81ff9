/**
 * Connections to servers: kept alive, through a proxy, trusting a certificate of one's own.
 */
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { ConfigError } from '@lab/core';
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';

/** Addresses of proxies. */
export interface Proxies {
  readonly http?: string | undefined;
  readonly https?: string | undefined;
  /** Hosts without a proxy, as in `NO_PROXY`. */
  readonly none?: string | undefined;
}

/** How connections are made. */
export interface DispatcherOptions {
  /** Connections to one server at most; default no limit. */
  readonly connections?: number | undefined;
  readonly connectMs: number;
  /** File with certificates in PEM that are trusted besides the usual ones. */
  readonly ca?: string | undefined;
  /** Default: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` of the environment. */
  readonly proxies?: Proxies | undefined;
}

/** Connections, by the server they lead to. */
export interface Dispatchers {
  for(origin: string): Dispatcher;
  close(): Promise<void>;
}

/** Idle connections are kept this long: many servers close theirs after 5 s, and do not say so. */
const KEEP_ALIVE_MS = 4000;

/**
 * Connections as the options say. A server on this machine is reached without a proxy.
 *
 * @throws {ConfigError} when the file of certificates cannot be read or a proxy has no address.
 */
export function createDispatcher(options: DispatcherOptions): Dispatchers {
  const ca = options.ca === undefined ? undefined : trusted(options.ca);
  const tls = ca === undefined ? {} : { ca };
  const common = {
    connections: options.connections ?? null,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: { ...tls, timeout: options.connectMs },
  };
  const direct = new Agent(common);
  const { http = '', https = '', none = '' } = options.proxies ?? environmentProxies();
  if (http === '' && https === '') return { for: () => direct, close: () => direct.destroy() };
  const proxied = asProxies(
    { http, https, none },
    {
      ...common,
      ...(ca === undefined ? {} : { requestTls: tls, proxyTls: tls }),
    },
  );
  return {
    for: (origin) => (isLoopback(origin) ? direct : proxied),
    close: async () => {
      await Promise.all([direct.destroy(), proxied.destroy()]);
    },
  };
}

function asProxies(proxies: Required<Proxies>, options: object): Dispatcher {
  const { http = '', https = '', none = '' } = proxies;
  for (const address of [http, https]) {
    if (address !== '' && !URL.canParse(address)) {
      throw new ConfigError('llm/dispatcher: the address of the proxy is no URL.', {
        help: 'set HTTPS_PROXY to something like http://proxy.example:3128.',
      });
    }
  }
  return new EnvHttpProxyAgent({
    ...options,
    httpProxy: http,
    httpsProxy: https,
    noProxy: none ?? '',
    // Many proxies open tunnels to port 443 only: what is not encrypted goes through them as it is.
    proxyTunnel: false,
  });
}

function environmentProxies(): Proxies {
  const { env } = process;
  return {
    http: env['http_proxy'] ?? env['HTTP_PROXY'],
    https: env['https_proxy'] ?? env['HTTPS_PROXY'],
    none: env['no_proxy'] ?? env['NO_PROXY'],
  };
}

function isLoopback(origin: string): boolean {
  return /^https?:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(origin);
}

function trusted(path: string): string[] {
  try {
    return [...rootCertificates, readFileSync(path, 'utf8')];
  } catch (cause) {
    throw new ConfigError(`llm/dispatcher: the certificates ${path} cannot be read.`, {
      help: 'name a file with certificates in PEM.',
      cause,
    });
  }
}
