/**
 * The spare Python: a worker that has started already, so that a hard stop, a restart or the next notebook need not wait.
 */
import { errorText } from '../runtime/errors';
import type { KernelClient, KernelClientOptions } from '../runtime/kernel_client';
import type { BootProgress } from '../runtime/protocol';
import { deviceGigabytes, isHandheld } from './device_memory';

/** GB of memory that a device must have for a spare. A spare takes about 130 MB. */
const MIN_DEVICE_GB = 4;

/** The user's setting; `auto` leaves the choice to the site. */
export type PrewarmChoice = 'auto' | 'always' | 'never';

/** Whether a spare may be kept: by the user's setting, else the site's, else the device's memory. */
export function mayPrewarm(site: boolean | undefined, user: PrewarmChoice = 'auto'): boolean {
  if (user !== 'auto') {
    return user === 'always';
  }
  return site ?? (deviceGigabytes() ?? (isHandheld() ? 0 : MIN_DEVICE_GB)) >= MIN_DEVICE_GB;
}

/**
 * Whether the spare may import modules: if the site wants it and a spare is kept. Never on devices with little memory, whatever the
 * settings are, since it takes about as much memory again, nor on those with a single processor.
 */
export function mayImportAhead(site: boolean | undefined, keepsSpare: boolean): boolean {
  return (site ?? false) && keepsSpare && mayPrewarm(undefined) && navigator.hardwareConcurrency !== 1;
}

/** What a spare has imported before a cell did. */
type ImportedAhead = 'nothing' | 'at work' | 'all';

/**
 * Keeps one spare. It may import what a notebook will import, and then takes the place of a kernel's worker in which no cell has run.
 *
 * | `booting` | `ready` | `ahead` | |
 * |---|---|---|---|
 * | null | null | nothing | there is no spare |
 * | a promise | null | nothing | it starts |
 * | a promise | a worker | nothing | `take` gets it |
 * | a promise | a worker | at work | it imports: `take` and `giveWay` end it |
 * | a promise | a worker | all | `take` and `exchange` get it |
 */
export class Spares {
  private booting: Promise<void> | null = null;
  private ready: KernelClient | null = null;
  private ahead: ImportedAhead = 'nothing';
  private progress: BootProgress | null = null;
  /** Progress callback of the kernel that waits for the booting spare. */
  private follower: KernelClientOptions['onProgress'];

  constructor(private readonly create: (onProgress: (progress: BootProgress) => void) => Promise<KernelClient>) {}

  /** Starts a spare if there is none. A failure is ignored: the next kernel then starts a worker itself. */
  async prepare(): Promise<void> {
    this.booting ??= this.boot().catch(() => {
      this.booting = null;
    });
    await this.booting;
  }

  /**
   * Lets the spare import these modules. Starts a spare if there is none; one that has imported already imports no more. A spare
   * that user code could tell from another afterwards is replaced.
   *
   * @param isWanted - asked at the beginning, and when the spare has started.
   */
  async importAhead(modules: string[], isWanted: () => boolean): Promise<void> {
    if (!isWanted()) {
      return;
    }
    await this.prepare();
    const client = this.ready;
    if (!client || this.ahead !== 'nothing' || !isWanted()) {
      return;
    }
    this.ahead = 'at work';
    let hasImported = false;
    let problem = '';
    try {
      hasImported = await client.importAhead(modules);
    } catch (error) {
      problem = errorText(error);
    }
    if (this.ready !== client) {
      return; // it had to give way
    }
    if (problem) {
      console.warn(`[browsergrad] Not imported ahead: ${problem}`);
      this.drop();
      await this.prepare();
      return;
    }
    this.ahead = hasImported ? 'all' : 'nothing';
    if (hasImported) {
      performance.mark('browsergrad:imported-ahead');
    }
  }

  /** A cell runs. Ends a spare that imports, since it would slow the cell down. @returns whether it has ended one. */
  giveWay(): boolean {
    const isAtWork = this.ahead === 'at work';
    if (isAtWork) {
      this.drop();
    }
    return isAtWork;
  }

  /**
   * Takes the spare in place of `old`, a worker in which no cell has run, if it has imported ahead. `old` is then the spare.
   *
   * @returns null if there is no such spare.
   */
  async exchange(own: Partial<KernelClientOptions>, old: KernelClient): Promise<KernelClient | null> {
    const client = this.hasImported ? await this.take(own) : null;
    if (client && !this.booting) {
      this.ready = old;
      this.booting = Promise.resolve();
    }
    return client;
  }

  /** Whether the spare has imported something. */
  get hasImported(): boolean {
    return this.ahead === 'all';
  }

  private drop(): void {
    this.ready?.dispose();
    this.ready = null;
    this.booting = null;
    this.ahead = 'nothing';
  }

  /** Takes the spare for a kernel with these options. Waits if it is still starting. @returns null if there is none. */
  async take(own: Partial<KernelClientOptions>): Promise<KernelClient | null> {
    if (this.booting && !this.ready) {
      this.follower = own.onProgress;
      if (this.progress) {
        own.onProgress?.(this.progress);
      }
    }
    await this.booting;
    this.follower = undefined;
    this.giveWay();
    const client = this.ready;
    this.ready = null;
    this.ahead = 'nothing';
    if (!client) {
      return null;
    }
    this.booting = null;
    try {
      await client.adopt(own);
      return client;
    } catch {
      return null; // the spare has ended meanwhile
    }
  }

  private async boot(): Promise<void> {
    this.progress = null;
    const client = await this.create(progress => {
      this.progress = progress;
      this.follower?.(progress);
    });
    await client.ready;
    this.ready = client;
    performance.mark('browsergrad:spare');
  }
}
