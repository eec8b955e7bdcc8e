/**
 * Lets loads of packages be given up. Pyodide loads one package at a time and has no way to end that: a download
 * that never comes would keep all later ones waiting, though the cell that wanted it was interrupted.
 */

/** Addresses of packages: what tasks of earlier cells fetch meanwhile goes on. */
const PACKAGE = /\.(whl|zip|tar|tar\.\w+)([?#]|$)/;

/** What a load says that was given up. */
export const INTERRUPTED = 'the cell was interrupted';

interface Load {
  epoch: number;
  controller: AbortController;
}

export class AbortableLoads {
  private readonly running = new Set<Load>();

  /** @param epoch What runs now, 0 when nothing does. */
  constructor(private readonly epoch: () => number) {
    const { fetch } = globalThis;
    globalThis.fetch = (input, init) => fetch(input, this.withSignal(input, init));
  }

  /** `load` with the fetches that it starts made to end with it. */
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

  /** Gives up what the request that was interrupted had begun. */
  abort(epoch: number): void {
    for (const load of this.running) {
      if (load.epoch === epoch) {
        load.controller.abort(new DOMException(INTERRUPTED, 'AbortError'));
      }
    }
  }

  private withSignal(input: RequestInfo | URL, init?: RequestInit): RequestInit | undefined {
    const epoch = this.epoch();
    const signals = [...this.running].filter(load => load.epoch === epoch).map(load => load.controller.signal);
    if (!signals.length || !PACKAGE.test(input instanceof Request ? input.url : String(input))) {
      return init;
    }
    return { ...init, signal: AbortSignal.any(init?.signal ? [init.signal, ...signals] : signals) };
  }
}
