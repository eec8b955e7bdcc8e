/**
 * The pack of modules that completion uses and few cells import: jedi and what it needs. It is fetched at the first completion, or
 * when a cell imports such a module.
 */
import type { KernelManifest } from '../boot_assets';
import { errorText } from '../errors';
import { LazyAsset } from './lazy_assets';
import { Pack } from './pack';
import type { Post, Pyodide } from './pyodide';

/** Folder in which the files are written before Python can see them, so that it never finds a part of them. */
const UNSEEN = '/.browsergrad-background';

export class BackgroundPack {
  private unpacking: Promise<void> | null = null;
  private isUnpacked = false;

  /**
   * @param kernelURL - address of the kernel's folder.
   * @param folder - the folder of Python's packages.
   */
  constructor(
    private readonly FS: Pyodide['FS'],
    private readonly kernelURL: string,
    private readonly entry: KernelManifest['packs'][string],
    private readonly folder: string,
    private readonly post: Post,
  ) {}

  /** Whether the pack has been loaded. */
  get isThere(): boolean {
    return this.isUnpacked;
  }

  /** Whether Python would have this top-level module if the pack were loaded. */
  offers(module: string): boolean {
    return !this.isUnpacked && (this.entry.modules ?? []).includes(module);
  }

  /** Loads the pack while Python runs. Python looks for the files itself, since it may be in the middle of an import. */
  load(): Promise<void> {
    this.unpacking ??= this.fetch().finally(() => {
      this.unpacking = null; // after a failure it may be tried again
    });
    return this.unpacking;
  }

  /** Loads the pack while Python waits. */
  loadNow(): void {
    if (!this.isUnpacked) {
      const log = (text: string): void => this.post({ type: 'log', level: 'error', text });
      new Pack(new LazyAsset(this.kernelURL + this.entry.file, this.entry.crc32, log).get()).unpack(
        this.FS,
        this.folder,
      );
      this.isUnpacked = true;
    }
  }

  private async fetch(): Promise<void> {
    if (this.isUnpacked) {
      return;
    }
    try {
      const pack = await Pack.fetch(this.kernelURL, this.entry);
      await pack.unpackInTurns(this.FS, UNSEEN);
    } catch (error) {
      this.post({ type: 'log', level: 'warning', text: errorText(error) });
      throw error;
    }
    if (!this.isUnpacked) {
      for (const name of this.FS.readdir(UNSEEN).filter(each => each !== '.' && each !== '..')) {
        this.FS.rename(`${UNSEEN}/${name}`, `${this.folder}/${name}`);
      }
      this.FS.rmdir(UNSEEN);
      this.isUnpacked = true;
    }
  }
}
