/** What a page without a drive says, and the download that it offers. */
import { unzipSync } from 'fflate';
import { beforeEach, describe, expect, it, vi } from 'vitest';

const shown = vi.hoisted(() => ({
  notices: [] as [kind: string, text: string, options: object][],
  files: [] as unknown[],
}));
vi.mock('@jupyterlab/apputils', () => ({
  Notification: Object.fromEntries(
    ['warning', 'info', 'error'].map(kind => [
      kind,
      (text: string, options: object) => shown.notices.push([kind, text, options]),
    ]),
  ),
}));
vi.mock('../../src/download', () => ({ download: (...args: unknown[]) => shown.files.push(args) }));

const { downloadHomeFiles, driveTexts, warnOfMissingDrive } = await import('../../src/kernel/no_drive');

const kernel = (files: Record<string, Uint8Array> | Error, hasDrive = false) => ({
  hasDrive,
  homeFiles: () => (files instanceof Error ? Promise.reject(files) : Promise.resolve(files)),
});

beforeEach(() => {
  shown.notices.length = shown.files.length = 0;
});

describe('a page without a drive', () => {
  it('says so once, also for several kernels, and never where there is a drive', () => {
    warnOfMissingDrive(kernel({}, true));
    expect(shown.notices).toEqual([]);
    warnOfMissingDrive(kernel({}));
    warnOfMissingDrive(kernel({}));
    expect(shown.notices.map(([kind]) => kind)).toEqual(['warning']);
    expect(shown.notices[0][1].length).toBeLessThanOrEqual(140);
    expect(driveTexts(kernel({}))[0]).toBe('Files are not kept');
    expect(driveTexts(kernel({}, true))).toEqual(['', '']);
  });

  it('downloads one file as it is', async () => {
    await downloadHomeFiles(kernel({ 'data/a.bin': Uint8Array.of(0, 255) }));
    const [[name, blob]] = shown.files as [string, Blob][];
    expect(name).toBe('a.bin');
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(Uint8Array.of(0, 255));
  });

  it('downloads several files as one archive', async () => {
    await downloadHomeFiles(kernel({ a: Uint8Array.of(1), 'b/ç': Uint8Array.of() }));
    const [[name, blob]] = shown.files as [string, Blob][];
    expect([name, blob.type]).toEqual(['python-files.zip', 'application/zip']);
    expect(unzipSync(new Uint8Array(await blob.arrayBuffer()))).toEqual({
      a: Uint8Array.of(1),
      'b/ç': Uint8Array.of(),
    });
  });

  it('says that there is nothing, or that it cannot be read', async () => {
    await downloadHomeFiles(kernel({}));
    await downloadHomeFiles(kernel(new Error('the kernel has ended')));
    expect(shown.files).toEqual([]);
    expect(shown.notices.map(([kind, text]) => `${kind}: ${text}`)).toEqual([
      'info: Python has not written any file.',
      'error: The files that Python has written could not be read: the kernel has ended',
    ]);
  });
});
