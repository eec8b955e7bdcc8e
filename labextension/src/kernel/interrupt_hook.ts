/**
 * Makes Stop reach a running kernel. JupyterLite's client only cancels queued cells. The hook first interrupts our kernel, before
 * anything is awaited, and then lets the client cancel the cells.
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
