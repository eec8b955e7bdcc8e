/** The content of an open file of the drive, and the times when it is written back. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { DriveFile } from '../../src/runtime/worker/drive_file';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('contents', () => {
  it('grow, shrink, and are zero where nothing was written', () => {
    const file = new DriveFile(bytes('abc'));
    file.write(bytes('x'), 5);
    expect([...file.bytes]).toEqual([97, 98, 99, 0, 0, 120]);
    file.resize(2);
    file.resize(4);
    expect([...file.bytes]).toEqual([97, 98, 0, 0]);
  });

  it('are read up to their end', () => {
    const file = new DriveFile(bytes('abc'));
    const into = new Uint8Array(10);
    expect([file.read(into, 1, 9, 1), file.read(into, 0, 5, 3), file.read(into, 0, 5, 9)]).toEqual([2, 0, 0]);
    expect([...into.subarray(0, 4)]).toEqual([0, 98, 99, 0]);
  });

  it('take what a mapping has changed, and nothing of one that was only read', () => {
    const file = new DriveFile(bytes('abcd'));
    file.writeMapped(bytes('abcd'), 0);
    expect(file.dirty).toBe(false);
    file.writeMapped(bytes('Xd and beyond the end'), 2);
    expect(file.bytes).toEqual(bytes('abXd'));
    expect(file.dirty).toBe(true);
  });
});

describe('saving', () => {
  it('writes what has changed, once', () => {
    const put = vi.fn();
    const file = new DriveFile(bytes('abc'));
    file.save(put);
    file.write(bytes('x'), 0);
    file.save(put);
    file.save(put);
    expect(put.mock.calls).toEqual([[bytes('xbc')]]);
  });

  it('keeps changes that could not be saved', () => {
    const file = new DriveFile();
    file.write(bytes('x'), 0);
    expect(() =>
      file.save(() => {
        throw new Error('full');
      }),
    ).toThrow('full');
    expect(file.dirty).toBe(true);
  });

  it('does not bring a removed file back', () => {
    const put = vi.fn();
    const file = new DriveFile();
    file.write(bytes('x'), 0);
    file.removed = true;
    file.save(put);
    expect(put).not.toHaveBeenCalled();
  });

  it('is due after two seconds, and seldom where it takes long', () => {
    const file = new DriveFile();
    const due = (): boolean => {
      file.write(bytes('x'), 0);
      return file.due;
    };
    expect(due()).toBe(false);
    vi.advanceTimersByTime(2001);
    expect(due()).toBe(true);
    file.save(() => vi.advanceTimersByTime(1000));
    vi.advanceTimersByTime(19_000);
    expect(due()).toBe(false);
    vi.advanceTimersByTime(1001);
    expect(due()).toBe(true);
  });
});
