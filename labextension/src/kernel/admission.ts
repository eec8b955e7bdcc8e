/**
 * What the kernel asks of its page before each cell: whether it may run, and what its Python has to know first.
 */
import type { KernelClient } from '../runtime/kernel_client';

export type Admission =
  | { refused: { ename: string; evalue: string } }
  | { refused: null; prepare(client: KernelClient): Promise<void> };

/** Asked for each cell. The signal ends the wait; the promise then rejects. */
export type KernelGate = (signal: AbortSignal) => Promise<Admission>;
