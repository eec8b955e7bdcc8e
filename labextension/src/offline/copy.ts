/** The offline copy of the site as its page sees it: fills it, removes it, and tells its state. */
import { Signal, type ISignal } from '@lumino/signaling';

import { fill, FillError, type Filled } from './fill';
import { idleMoment } from './idle';
import { OfflineStore, type WholeVersion } from './store';
import type { CopyState } from './words';

/** Whether this browser and this page can keep a copy. Frames keep none: they would only be found inside the same page. */
function isPossible(): boolean {
  try {
    return Boolean(
      window.top === window &&
        globalThis.caches &&
        navigator.serviceWorker &&
        navigator.locks &&
        globalThis.crypto?.subtle,
    );
  } catch {
    return false;
  }
}

async function room(): Promise<number | null> {
  const { quota, usage } = (await navigator.storage?.estimate?.().catch(() => null)) ?? {};
  return quota === undefined || usage === undefined ? null : Math.max(quota - usage, 0);
}

/** The state while nothing is fetched. */
const quiet = (whole: WholeVersion | null): CopyState => (whole ? { kind: 'ready', whole } : { kind: 'none', whole });

export class OfflineCopy {
  private readonly store: OfflineStore | null;
  private readonly changedSignal = new Signal<this, void>(this);
  private present: CopyState = { kind: 'none', whole: null };
  private running: AbortController | null = null;

  /**
   * @param base - address of the site's root.
   * @param isIsolating - whether the site's service worker isolates its pages.
   */
  constructor(
    base: string,
    private readonly isIsolating: boolean,
  ) {
    this.store = isPossible() ? new OfflineStore(base, globalThis.caches) : null;
  }

  get state(): CopyState {
    return this.present;
  }

  get changed(): ISignal<this, void> {
    return this.changedSignal;
  }

  /**
   * Looks for a version of the site that is newer than the copy, and fetches it.
   *
   * @returns what became of it; null if nothing can be kept here.
   * @throws FillError; `state` has it too.
   */
  async keep(): Promise<Filled | null> {
    const { store } = this;
    if (!store || this.running) {
      return null;
    }
    const controller = new AbortController();
    this.running = controller;
    try {
      await navigator.serviceWorker.ready; // without one, the copy would be of no use
      return await navigator.locks.request(store.lock, async () => await this.fill(store, controller.signal));
    } finally {
      if (this.running === controller) {
        this.running = null;
      }
    }
  }

  /** Removes the copy. @param isOff - whether the user wants none. */
  async remove(isOff: boolean): Promise<void> {
    this.running?.abort();
    const { store } = this;
    if (store) {
      await navigator.locks.request(store.lock, () => store.remove());
    }
    this.set(isOff ? { kind: 'off', whole: null } : { kind: 'none', whole: null });
  }

  private async fill(store: OfflineStore, signal: AbortSignal): Promise<Filled | null> {
    let whole = await store.read().then(
      ({ current }) => current,
      () => null,
    );
    this.set(quiet(whole));
    try {
      signal.throwIfAborted();
      const filled = await fill({
        store,
        fetch: (...given) => fetch(...given),
        idle: idleMoment,
        room,
        isIsolating: this.isIsolating,
        signal,
        onProgress: (done, total) => this.set({ kind: 'fetching', whole, done, total }),
      });
      whole = filled.whole;
      this.set(quiet(whole));
      return filled;
    } catch (error) {
      if (!(error instanceof FillError)) {
        return null; // it was removed meanwhile
      }
      this.set(
        error.code === 'network' && whole ? { kind: 'ready', whole } : { kind: 'failed', whole, code: error.code },
      );
      throw error;
    }
  }

  private set(state: CopyState): void {
    this.present = state;
    this.changedSignal.emit();
  }
}
