/**
 * The spare Python: a worker that has started already, so that a hard stop, a restart or the next notebook need not wait.
 */
import type { KernelClient, KernelClientOptions } from '../runtime/kernel_client';
import type { BootProgress } from '../runtime/protocol';

/** GB of memory that a device must have for a spare. A spare takes about 130 MB. */
const MIN_DEVICE_GB = 4;

/** The user's setting; `auto` leaves the choice to the site. */
export type PrewarmChoice = 'auto' | 'always' | 'never';

/** Whether a spare may be kept: by the user's setting, else the site's, else the device's memory. */
export function mayPrewarm(site: boolean | undefined, user: PrewarmChoice = 'auto'): boolean {
  if (user !== 'auto') {
    return user === 'always';
  }
  const { deviceMemory } = navigator as Navigator & { deviceMemory?: number };
  return site ?? (deviceMemory ?? (isHandheld() ? 0 : MIN_DEVICE_GB)) >= MIN_DEVICE_GB;
}

/** Whether this is a phone or a tablet. For browsers that do not say how much memory the device has. */
function isHandheld(): boolean {
  const { userAgent, maxTouchPoints } = navigator;
  // An iPad calls itself a Macintosh, but no Macintosh has a touch screen.
  return /Mobi|iPad|Android/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1);
}

export class Spares {
  private booting: Promise<void> | null = null;
  private ready: KernelClient | null = null;
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
    const client = this.ready;
    this.ready = null;
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
