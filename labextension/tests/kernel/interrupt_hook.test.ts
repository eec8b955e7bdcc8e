/** The Stop button reaches our kernels first. */
import type { IKernelClient } from '@jupyterlite/services';
import { expect, it, vi } from 'vitest';

import { hookInterrupt } from '../../src/kernel/interrupt_hook';

function hooked() {
  const order: string[] = [];
  const original = vi.fn(async (id: string) => void order.push(`client ${id}`));
  const client = { interrupt: original } as unknown as IKernelClient;
  hookInterrupt(client, new Map([['ours', { interrupt: () => void order.push('kernel') }]]));
  return { client, order };
}

it('interrupts our kernel before anything is awaited, then lets the client cancel its queue', async () => {
  const { client, order } = hooked();
  const done = client.interrupt('ours');
  expect(order).toEqual(['kernel', 'client ours']);
  await done;
});

it('leaves other kernels to the client', async () => {
  const { client, order } = hooked();
  await client.interrupt('other');
  expect(order).toEqual(['client other']);
});
