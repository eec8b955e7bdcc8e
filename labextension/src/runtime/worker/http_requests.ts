/**
 * Requests of Python's own HTTP client. They use `fetch` where Python can be suspended meanwhile, else a synchronous request,
 * which blocks the worker until the answer.
 */

interface Wanted {
  method: string;
  url: string;
  headers: [name: string, value: string][];
  timeoutMs: number | null;
}

/** What Python gets: JSON that describes the response, or says why there is none, and the body. */
export interface Answer {
  head: string;
  body: Uint8Array;
}

const NOTHING = new Uint8Array(0);
const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

export class HttpRequests {
  private newest: AbortController | null = null;

  /** @param body Lies in Python's memory, so it is copied before anything is awaited. */
  async ask(json: string, body: Uint8Array | null): Promise<Answer> {
    const wanted = JSON.parse(json) as Wanted;
    const controller = new AbortController();
    this.newest = controller;
    const signals = [controller.signal];
    if (wanted.timeoutMs) {
      signals.push(AbortSignal.timeout(wanted.timeoutMs));
    }
    try {
      const response = await fetch(wanted.url, {
        method: wanted.method,
        headers: wanted.headers,
        body: body && new Uint8Array(body),
        signal: AbortSignal.any(signals),
      });
      const content = new Uint8Array(await response.arrayBuffer());
      const { status, statusText: reason, headers, url } = response;
      return { head: JSON.stringify({ status, reason, headers: [...headers], url }), body: content };
    } catch (error) {
      return failed(wanted.url, error);
    }
  }

  /** Aborts the newest request. */
  abort(): void {
    this.newest?.abort();
  }

  askNow(json: string, body: Uint8Array | null): Answer {
    const wanted = JSON.parse(json) as Wanted;
    try {
      const request = new XMLHttpRequest();
      request.open(wanted.method, wanted.url, false);
      request.responseType = 'arraybuffer';
      request.timeout = wanted.timeoutMs ?? 0;
      wanted.headers.forEach(([name, value]) => request.setRequestHeader(name, value));
      request.send(body && new Uint8Array(body));
      const { status, statusText: reason, responseURL: url } = request;
      const headers = request
        .getAllResponseHeaders()
        .split('\r\n')
        .filter(Boolean)
        .map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
      return {
        head: JSON.stringify({ status, reason, headers, url }),
        body: new Uint8Array((request.response as ArrayBuffer | null) ?? NOTHING),
      };
    } catch (error) {
      return failed(wanted.url, error);
    }
  }
}

/** Guesses why a request failed: browsers do not say. */
function failed(address: string, error: unknown): Answer {
  const { name = '', message = '' } = (error ?? {}) as Partial<Error>;
  const { origin = '', protocol = '' } = (globalThis as { location?: Location }).location ?? {};
  let why = 'unreachable';
  try {
    const url = new URL(address);
    if (name === 'TimeoutError') {
      why = 'timeout';
    } else if (navigator.onLine === false && !LOCAL.test(url.hostname)) {
      why = 'offline';
    } else if (protocol === 'https:' && url.protocol === 'http:' && !LOCAL.test(url.hostname)) {
      why = 'mixed';
    } else if (url.origin !== origin) {
      why = 'foreign';
    }
  } catch {
    // Not an address.
  }
  return { head: JSON.stringify({ failed: why, message, origin }), body: NOTHING };
}
