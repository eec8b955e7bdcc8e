import { afterEach, beforeEach, expect, it, vi } from 'vitest';

const notices = vi.hoisted(() => ({ log: [] as string[] }));

vi.mock('../../src/notice', () => ({
  Notice: class {
    constructor(message: string) {
      notices.log.push(message);
    }
    update(message: string): void {
      notices.log.push(message);
    }
    dismiss(): void {
      notices.log.push('dismissed');
    }
  },
}));

const { TransferNotices } = await import('../../src/transfers/progress');

beforeEach(() => {
  vi.useFakeTimers();
  notices.log = [];
});
afterEach(() => {
  vi.useRealTimers();
});

it('a transfer that takes longer is shown, also while it says nothing', () => {
  const transfers = new TransferNotices((name, percents) => `Uploading ${name}: ${percents} %`);
  transfers.show('folder/long.bin', 0.1);
  vi.advanceTimersByTime(499);
  transfers.show('folder/long.bin', 0.2);
  expect(notices.log).toEqual([]);
  vi.advanceTimersByTime(1);
  transfers.show('folder/long.bin', 0.5);
  transfers.show('folder/long.bin', 1);
  expect(notices.log).toEqual(['Uploading long.bin: 20 %', 'Uploading long.bin: 50 %', 'dismissed']);
});

it('a quick transfer is not shown, and a second one of the same file is another', () => {
  const transfers = new TransferNotices((name, percents) => `Uploading ${name}: ${percents} %`);
  transfers.show('short.bin', 0);
  transfers.end('short.bin');
  vi.advanceTimersByTime(1000);
  expect(notices.log).toEqual([]);
  transfers.show('short.bin', 0.3);
  vi.advanceTimersByTime(500);
  expect(notices.log).toEqual(['Uploading short.bin: 30 %']);
});
