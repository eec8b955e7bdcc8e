/**
 * JupyterLite's client does not tell a running kernel of an interrupt: it only cancels queued cells.
 * The hook tells ours first, before anything is awaited, then lets the client do that.
 */
import type { IKernelClient } from '@jupyterlite/services';

export interface Interruptible {
  interrupt(): void;
}

/** Wraps `client.interrupt`; `kernels` holds our running kernels by id. */
export function hookInterrupt(client: IKernelClient, kernels: ReadonlyMap<string, Interruptible>): void {
  const original = client.interrupt.bind(client);
  client.interrupt = (id: string): Promise<void> => {
    kernels.get(id)?.interrupt();
    return original(id);
  };
}
