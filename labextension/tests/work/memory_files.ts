/** The second store in memory, and locks of one page. */
import { NoWorkFiles, type WorkFiles, type WorkLocks } from '../../src/work/files';

export class MemoryFiles implements WorkFiles {
  readonly files = new Map<string, Uint8Array>();
  /** Writes so far. */
  writes = 0;
  /** Most bytes of all files; null if that is not limited. */
  quota: number | null = null;

  async read(path: string): Promise<Uint8Array | null> {
    return this.files.get(path) ?? null;
  }

  async write(path: string, data: Uint8Array): Promise<void> {
    this.writes++;
    if (this.quota !== null && this.bytes - (await this.size(path)) + data.length > this.quota) {
      throw new NoWorkFiles('full', 'the quota is exceeded');
    }
    this.files.set(path, data);
  }

  async remove(path: string): Promise<void> {
    for (const name of [...this.files.keys()].filter(one => one === path || one.startsWith(`${path}/`))) {
      this.files.delete(name);
    }
  }

  async list(folder: string): Promise<string[]> {
    const below = [...this.files.keys()].filter(path => path.startsWith(`${folder}/`));
    return [...new Set(below.map(path => path.slice(folder.length + 1).split('/')[0]))];
  }

  async removeUnfinished(): Promise<void> {} // all files are whole

  async size(path: string): Promise<number> {
    return this.files.get(path)?.length ?? 0;
  }

  async free(): Promise<number | null> {
    return this.quota === null ? null : Math.max(this.quota - this.bytes, 0);
  }

  get bytes(): number {
    return [...this.files.values()].reduce((sum, { length }) => sum + length, 0);
  }
}

export class MemoryLocks implements WorkLocks {
  readonly names = new Set<string>();

  shared<T>(_name: string, run: () => Promise<T>): Promise<T> {
    return run();
  }

  exclusive<T>(_name: string, run: () => Promise<T>): Promise<T> {
    return run();
  }

  async isHeld(name: string): Promise<boolean> {
    return this.names.has(name);
  }

  hold(name: string): void {
    this.names.add(name);
  }
}
