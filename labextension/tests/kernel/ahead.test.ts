/** Work ahead of need makes nobody wait, and is done in the end. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { Ahead, type Worker } from '../../src/kernel/ahead';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A worker whose work ends when the test says so. */
class FakeWorker implements Worker {
  begun = 0;
  interrupts = 0;
  private settle: ((more: boolean) => void) | null = null;

  getAhead(): Promise<boolean> {
    this.begun++;
    return new Promise(resolve => (this.settle = resolve));
  }

  async end(more: boolean): Promise<void> {
    this.settle?.(more);
    await vi.advanceTimersByTimeAsync(0);
  }

  interrupt(): void {
    this.interrupts++;
    this.settle?.(true);
  }
}

const idle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(1000);

it('begins once nothing has been asked for a moment, and goes on until nothing is left', async () => {
  const ahead = new Ahead();
  const worker = new FakeWorker();
  ahead.offer(worker);
  expect(worker.begun).toBe(0);
  await idle();
  expect(worker.begun).toBe(1);
  await worker.end(true);
  await idle();
  expect(worker.begun).toBe(2);
  await worker.end(false);
  await idle();
  expect(worker.begun).toBe(2);
});

it('goes on at once after each part', async () => {
  const ahead = new Ahead();
  const worker = new FakeWorker();
  ahead.offer(worker);
  await idle();
  await worker.end(true);
  await vi.advanceTimersByTimeAsync(0);
  expect(worker.begun).toBe(2);
});

it('waits while something is asked', async () => {
  const ahead = new Ahead();
  const worker = new FakeWorker();
  ahead.giveWay();
  ahead.offer(worker);
  await idle();
  expect(worker.begun).toBe(0);
  ahead.rest();
  await idle();
  expect(worker.begun).toBe(1);
});

it('gives way to what is asked, and begins again afterwards', async () => {
  const ahead = new Ahead();
  const worker = new FakeWorker();
  ahead.offer(worker);
  await idle();
  ahead.giveWay();
  expect(worker.interrupts).toBe(1);
  await idle();
  expect(worker.begun).toBe(1);
  ahead.rest();
  await idle();
  expect(worker.begun).toBe(2);
});

it('ends with its worker', async () => {
  const ahead = new Ahead();
  const [gone, next] = [new FakeWorker(), new FakeWorker()];
  ahead.offer(gone);
  await idle();
  ahead.drop();
  ahead.offer(next);
  await gone.end(true);
  ahead.rest();
  await idle();
  expect([gone.begun, next.begun]).toEqual([1, 1]);
});
