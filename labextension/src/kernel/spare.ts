/**
 * A booted worker in reserve, so that a hard stop, a restart or the next notebook need not wait.
 */
import type { KernelClient, KernelClientOptions } from '../runtime/kernel_client';

/** GB of memory a device must have for a spare, which takes about 130 MB. */
const ENOUGH_GB = 4;

/** What the user wants: `auto` leaves it to the site. */
export type PrewarmChoice = 'auto' | 'always' | 'never';

/** Whether the user's setting, else the site's, else the device, allows a spare. */
export function mayPrewarm(site: boolean | undefined, user: PrewarmChoice = 'auto'): boolean {
  if (user !== 'auto') {
    return user === 'always';
  }
  const { deviceMemory, userAgent } = navigator as Navigator & { deviceMemory?: number };
  return site ?? (deviceMemory ?? (/Mobi|iPad/.test(userAgent) ? 0 : ENOUGH_GB)) >= ENOUGH_GB;
}

export class Spares {
  private booting: Promise<void> | null = null;
  private ready: KernelClient | null = null;

  constructor(private readonly create: () => Promise<KernelClient>) {}

  /** Boots a spare unless there is one. A failure is no news: the next kernel boots by itself. */
  async prepare(): Promise<void> {
    this.booting ??= this.boot().catch(() => {
      this.booting = null;
    });
    await this.booting;
  }

  /** The spare as the kernel of `own`, waiting for one that is starting; null when there is none. */
  async take(own: Partial<KernelClientOptions>): Promise<KernelClient | null> {
    await this.booting;
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
      return null; // it ended meanwhile
    }
  }

  private async boot(): Promise<void> {
    const client = await this.create();
    await client.ready;
    this.ready = client;
    performance.mark('browsergrad:spare');
  }
}
