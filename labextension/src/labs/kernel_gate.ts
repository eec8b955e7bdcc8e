/**
 * The gate that our kernel asks before each cell. It decides whether the kernel's notebooks may run, and prepares Python for
 * them.
 */
import type { Session } from '@jupyterlab/services';

import type { KernelGate } from '../kernel/admission';
import type { Datasets } from './datasets';
import { refusalContent, type LabGate } from './gate';

/** Returns the paths of a kernel's notebooks and consoles. A kernel without any counts as a console in its folder. */
export async function pathsOf(sessions: Session.IManager, kernelId: string, location: string): Promise<string[]> {
  await sessions.refreshRunning();
  const paths = [...sessions.running()].filter(model => model.kernel?.id === kernelId).map(model => model.path);
  return paths.length ? paths : [/(^|:)$/.test(location) ? location : `${location}/`];
}

export function kernelGate(gate: LabGate, datasets: Datasets, paths: () => Promise<string[]>): KernelGate {
  return async signal => {
    const verdict = await until(
      signal,
      paths().then(all => gate.checkAll(all)),
    );
    if (verdict.kind === 'refused') {
      return { refused: refusalContent(verdict.refusal) };
    }
    const lab = verdict.kind === 'lab' ? verdict.lab : null;
    return { refused: null, prepare: client => until(signal, datasets.hand(client, lab)) };
  };
}

/** Waits for a promise, until the signal is aborted at the latest. */
function until<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new DOMException('interrupted', 'AbortError'));
    if (signal.aborted) {
      stop();
    }
    signal.addEventListener('abort', stop, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
