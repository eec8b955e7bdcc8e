/**
 * Ends the loading of packages when their cell is interrupted. Pyodide loads one package at a time and cannot end a load, so
 * a download that never finishes would block all later ones.
 */

/** Matches addresses of packages. Other fetches, such as those of earlier cells' tasks, are not ended. */
const PACKAGE = /(\.(whl|zip|tar|tar\.\w+)|\/packs\/[^/]+\.pack\.gz)([?#]|$)/;

/** Message of a load that was ended. */
export const INTERRUPTED = 'the cell was interrupted';

interface Load {
  epoch: number;
  controller: AbortController;
}

export class AbortableLoads {
  private readonly running = new Set<Load>();

  /** @param epoch Returns the epoch of the running request, 0 when none runs. */
  constructor(private readonly epoch: () => number) {
    const { fetch } = globalThis;
    globalThis.fetch = (input, init) => fetch(input, this.withSignal(input, init));
  }

  /** Wraps `load` so that `abort` ends the fetches it starts. */
  wrap<A extends unknown[], R>(load: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return async (...args) => {
      const running = { epoch: this.epoch(), controller: new AbortController() };
      this.running.add(running);
      try {
        return await load(...args);
      } finally {
        this.running.delete(running);
      }
    };
  }

  /** Ends the loads that the request with this epoch started. */
  abort(epoch: number): void {
    for (const load of this.running) {
      if (load.epoch === epoch) {
        load.controller.abort(new DOMException(INTERRUPTED, 'AbortError'));
      }
    }
  }

  /** Waits for work that began outside of the running request's load, until that load is ended at the latest. */
  async orAbort<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      for (const signal of this.signals()) {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      }
      work.then(resolve, reject);
    });
  }

  /** Signals of the loads that the running request has started. */
  private signals(): AbortSignal[] {
    const epoch = this.epoch();
    return [...this.running].filter(load => load.epoch === epoch).map(load => load.controller.signal);
  }

  private withSignal(input: RequestInfo | URL, init?: RequestInit): RequestInit | undefined {
    const signals = this.signals();
    if (!signals.length || !PACKAGE.test(input instanceof Request ? input.url : String(input))) {
      return init;
    }
    return { ...init, signal: AbortSignal.any(init?.signal ? [init.signal, ...signals] : signals) };
  }
}
