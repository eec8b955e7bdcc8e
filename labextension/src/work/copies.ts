/**
 * Remembers which state of each notebook has a copy outside the browser, and when it was made.
 */
import type { WorkFiles } from './files';
import { storedName } from './packing';

const ROOT = 'copies';

export interface OutsideCopy {
  /** Ms since 1970. */
  time: number;
  /** Hash of the notebook's state. */
  hash: string;
  /** Name of the folder that is kept in step, if the copy is there. Others were downloaded. */
  folder?: string;
}

export class Copies {
  private readonly known = new Map<string, OutsideCopy | null>();

  constructor(
    /** Null in a page without a second store: copies are then remembered until the page is left. */
    private readonly files: WorkFiles | null,
    private readonly site: string,
  ) {}

  async made(path: string, copy: OutsideCopy): Promise<void> {
    this.known.set(path, copy);
    await this.files?.write(await this.place(path), new TextEncoder().encode(JSON.stringify(copy)));
  }

  /** Returns the latest copy of a notebook; null if there is none. */
  async of(path: string): Promise<OutsideCopy | null> {
    if (this.files && !this.known.has(path)) {
      const data = await this.files.read(await this.place(path));
      try {
        this.known.set(path, data && (JSON.parse(new TextDecoder().decode(data)) as OutsideCopy));
      } catch {
        this.known.set(path, null);
      }
    }
    return this.known.get(path) ?? null;
  }

  private async place(path: string): Promise<string> {
    return `${ROOT}/${await storedName(this.site, path)}.json`;
  }
}
