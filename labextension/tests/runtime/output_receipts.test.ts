import { describe, expect, it } from 'vitest';

import { OutputReceipts } from '../../src/runtime/output_receipts';

/** A page that shows the output that it was given when the test says so. */
function make(isEnded = () => false) {
  const sent: number[] = [];
  const frames: (() => void)[] = [];
  const shown = (): Promise<void> => new Promise(resolve => frames.push(resolve));
  const receipts = new OutputReceipts(shown, taken => sent.push(taken), isEnded);
  const frame = async (): Promise<void> => {
    frames.shift()!();
    await new Promise(resolve => setTimeout(resolve));
  };
  return { frame, frames, receipts, sent };
}

describe('receipts of output', () => {
  it('are sent at once where nobody waits for the page', () => {
    const sent: number[] = [];
    const receipts = new OutputReceipts(
      undefined,
      taken => sent.push(taken),
      () => false,
    );
    receipts.add(10);
    receipts.add(5);
    expect(sent).toEqual([10, 15]);
    expect(receipts.taken).toBe(15);
  });

  it('wait until the page has shown what it has, and cover what it had then', async () => {
    const { frame, frames, receipts, sent } = make();
    receipts.add(10);
    receipts.add(5);
    expect(sent).toEqual([]);
    expect(frames).toHaveLength(1);
    await frame();
    expect(sent).toEqual([10]);
    await frame();
    expect(sent).toEqual([10, 15]);
    expect(frames).toHaveLength(0);
    receipts.add(1);
    await frame();
    expect(sent).toEqual([10, 15, 16]);
  });

  it('are not waited for once the worker has ended', async () => {
    let ended = false;
    const { frame, frames, receipts } = make(() => ended);
    receipts.add(10);
    receipts.add(5);
    ended = true;
    await frame();
    expect(frames).toHaveLength(0);
  });

  it('count modulo 2^32, as the control block does', () => {
    const sent: number[] = [];
    const receipts = new OutputReceipts(
      undefined,
      taken => sent.push(taken),
      () => false,
    );
    receipts.add(0x7fffffff);
    receipts.add(1);
    expect(sent).toEqual([0x7fffffff, -0x80000000]);
  });
});
