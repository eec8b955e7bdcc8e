/** What the browser's file system holds while a file is written, and after that has failed. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { openOriginFiles, type OriginFiles } from '../../src/work/origin_files';

const missing = (): never => {
  throw new DOMException('no such file', 'NotFoundError');
};

/** What a page that ended at this moment would leave: names of the files, and their lengths. */
type Left = Record<string, number>;

class Folder {
  readonly files = new Map<string, Uint8Array>();
  readonly folders = new Map<string, Folder>();
  /** Called while a file is written, before its contents are there. */
  onWrite: () => void | Promise<void> = () => undefined;

  async getDirectoryHandle(name: string, options?: { create: boolean }): Promise<Folder> {
    if (!this.folders.has(name) && options?.create) {
      this.folders.set(name, new Folder());
    }
    return this.folders.get(name) ?? missing();
  }

  async getFileHandle(name: string, options?: { create: boolean }): Promise<unknown> {
    if (!this.files.has(name)) {
      if (!options?.create) {
        missing();
      }
      this.files.set(name, new Uint8Array());
    }
    return new File(this, name);
  }

  async removeEntry(name: string): Promise<void> {
    this.files.delete(name);
  }

  async *keys(): AsyncGenerator<string> {
    yield* [...this.files.keys(), ...this.folders.keys()];
  }

  left(): Left {
    return Object.fromEntries([...this.files].map(([name, bytes]) => [name, bytes.length]));
  }
}

class File {
  constructor(
    private readonly folder: Folder,
    readonly name: string,
  ) {}

  async createWritable(): Promise<unknown> {
    let data = new Uint8Array();
    return {
      write: async (bytes: Uint8Array<ArrayBuffer>) => {
        await this.folder.onWrite();
        data = bytes;
      },
      close: async () => void this.folder.files.set(this.name, data),
    };
  }

  async move(name: string): Promise<void> {
    this.folder.files.set(name, this.folder.files.get(this.name)!);
    this.folder.files.delete(this.name);
  }

  async getFile(): Promise<Blob> {
    return new Blob([this.folder.files.get(this.name)! as BlobPart]);
  }
}

let folder: Folder;
let files: OriginFiles;

beforeEach(async () => {
  const root = new Folder();
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('FileSystemFileHandle', File);
  vi.stubGlobal('navigator', { storage: { getDirectory: async () => root }, locks: {} });
  files = await openOriginFiles();
  folder = await (await root.getDirectoryHandle('browsergrad')).getDirectoryHandle('versions', { create: true });
});

afterEach(() => vi.unstubAllGlobals());

it('gives a new file its name when it is whole', async () => {
  let seen: string[] | undefined;
  folder.onWrite = async () => {
    seen = await files.list('versions');
  };
  await files.write('versions/a', Uint8Array.of(1, 2));
  expect(seen).toEqual([]);
  expect(folder.left()).toEqual({ a: 2 });
  expect(await files.read('versions/a')).toEqual(Uint8Array.of(1, 2));
});

it('leaves no new file where there is no room', async () => {
  folder.onWrite = () => {
    throw new DOMException('no room', 'QuotaExceededError');
  };
  await expect(files.write('versions/a', Uint8Array.of(1))).rejects.toThrow('no room');
  expect(folder.left()).toEqual({});
});

it('keeps what a file held where there is no room', async () => {
  await files.write('versions/a', Uint8Array.of(1, 2));
  folder.onWrite = () => {
    throw new DOMException('no room', 'QuotaExceededError');
  };
  await expect(files.write('versions/a', Uint8Array.of(3))).rejects.toThrow('no room');
  expect(folder.left()).toEqual({ a: 2 });
  folder.onWrite = () => undefined;
  await files.write('versions/a', Uint8Array.of(3));
  expect(folder.left()).toEqual({ a: 1 });
});

it('removes what pages that have ended left half written, and nothing else', async () => {
  await files.write('versions/a', Uint8Array.of(1, 2));
  for (const name of ['b.new', 'c.crswap', 'new']) {
    folder.files.set(name, Uint8Array.of(1));
  }
  expect((await files.list('versions')).sort()).toEqual(['a', 'new']);
  await files.removeUnfinished('versions');
  expect(folder.left()).toEqual({ a: 2, new: 1 });
  await files.removeUnfinished('nothing here');
});
