import { expect, it } from 'vitest';

import { FolderCopy } from '../../src/work/folder_copy';

/** A folder of the computer. */
class Folder {
  readonly name = 'chosen';
  readonly entries = new Map<string, Folder | Uint8Array>();

  async getDirectoryHandle(name: string): Promise<Folder> {
    const found = this.entries.get(name) ?? new Folder();
    this.entries.set(name, found);
    return found as Folder;
  }

  async getFileHandle(name: string, options?: { create: boolean }) {
    if (!this.entries.has(name) && !options?.create) {
      throw new DOMException('no such file', 'NotFoundError');
    }
    return {
      getFile: async () => new Blob([this.entries.get(name) as BlobPart]),
      createWritable: async () => ({
        write: async (data: Uint8Array) => void this.entries.set(name, data),
        close: async () => undefined,
      }),
    };
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const texts = (folder: Folder): Record<string, string> =>
  Object.fromEntries([...folder.entries].map(([name, data]) => [name, new TextDecoder().decode(data as Uint8Array)]));

it('a folder gets each state, and keeps what others have written', async () => {
  const root = new Folder();
  const lab = await root.getDirectoryHandle('lab');
  lab.entries.set('lab.ipynb', bytes('of another computer'));
  const copy = new FolderCopy(root as unknown as FileSystemDirectoryHandle);
  const aside = await copy.write('lab/lab.ipynb', bytes('1'), new Date(0));
  expect(aside).toBe('lab-before-1970-01-01T000000.ipynb');
  expect(await copy.write('lab/lab.ipynb', bytes('2'))).toBeNull();
  expect(texts(lab)).toEqual({ 'lab.ipynb': '2', [aside!]: 'of another computer' });
});

it('a folder that has the same state already is left as it is', async () => {
  const root = new Folder();
  root.entries.set('a.ipynb', bytes('1'));
  const copy = new FolderCopy(root as unknown as FileSystemDirectoryHandle);
  expect(await copy.write('a.ipynb', bytes('1'))).toBeNull();
  expect(texts(root)).toEqual({ 'a.ipynb': '1' });
});
