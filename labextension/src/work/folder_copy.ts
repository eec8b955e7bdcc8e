/**
 * *Keep a folder in step*: writes each saved notebook into a folder of the computer, where the browser lets pages do so.
 *
 * Nothing is ever deleted there. A file that this page has not written is copied aside before it is replaced.
 */
import { areSameBytes } from '../runtime/bytes';

export class FolderCopy {
  /** Paths that this page has written. */
  private readonly written = new Set<string>();

  constructor(private readonly folder: FileSystemDirectoryHandle) {}

  get name(): string {
    return this.folder.name;
  }

  /** Writes a file. @returns the name of the copy of what was there before; null if nothing else was there. */
  async write(path: string, data: Uint8Array, now = new Date()): Promise<string | null> {
    const steps = path.split('/');
    const name = steps.pop()!;
    let folder = this.folder;
    for (const step of steps) {
      folder = await folder.getDirectoryHandle(step, { create: true });
    }
    const before = this.written.has(path) ? null : await read(folder, name);
    let copy: string | null = null;
    if (before && !areSameBytes(before, data)) {
      copy = `${stem(name)}-before-${now.toISOString().slice(0, 19).replaceAll(':', '')}${name.slice(stem(name).length)}`;
      await write(folder, copy, before);
    }
    await write(folder, name, data);
    this.written.add(path);
    return copy;
  }
}

async function read(folder: FileSystemDirectoryHandle, name: string): Promise<Uint8Array | null> {
  try {
    const file = await (await folder.getFileHandle(name)).getFile();
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    if ((error as Error).name === 'NotFoundError') {
      return null;
    }
    throw error;
  }
}

async function write(folder: FileSystemDirectoryHandle, name: string, data: Uint8Array): Promise<void> {
  const stream = await (await folder.getFileHandle(name, { create: true })).createWritable();
  await stream.write(data as Uint8Array<ArrayBuffer>);
  await stream.close();
}

function stem(name: string): string {
  return name.replace(/(?<=.)\.[^.]*$/, '');
}
