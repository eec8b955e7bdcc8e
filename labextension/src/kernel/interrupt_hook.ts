/**
 * JupyterLite's client does not tell a running kernel of an interrupt: it only cancels queued cells.
 * The hook tells ours first, then lets the client do that.
 */
import type { IKernelClient } from '@jupyterlite/services';

import { BrowsergradKernel } from './kernel';

export function hookInterrupt(client: IKernelClient): void {
  const original = client.interrupt.bind(client);
  client.interrupt = async (id: string): Promise<void> => {
    const kernel: unknown = await client.getModel(id);
    if (kernel instanceof BrowsergradKernel) {
      kernel.interrupt();
    }
    await original(id);
  };
}
