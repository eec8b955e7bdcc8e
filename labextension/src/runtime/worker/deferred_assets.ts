/**
 * Files of the site that Python may need after its start. The page fetches them, since the worker may block at any time.
 */
import type { LazyAsset } from './lazy_assets';
import type { Post } from './pyodide';

/** Ms between the end of a cell and the request to the page, if no other cell begins. */
const DELAY_MS = 2000;
/** Ms for which cells that follow each other delay the request. */
const MAX_DELAY_MS = 10_000;

export class DeferredAssets {
  private readonly assets: LazyAsset[];
  /** For how many of the files the page has been asked. */
  private asked = 0;
  private taken = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** When cells no longer delay the request; null while nothing is to be asked for. */
  private latest: number | null = null;

  constructor(
    assets: readonly LazyAsset[],
    private readonly post: Post,
  ) {
    this.assets = [...assets];
  }

  /** Adds a file. The page is asked for it after the next cell. */
  add(asset: LazyAsset): void {
    this.assets.push(asset);
  }

  /** A cell begins. What it loads comes first. */
  giveWay(): void {
    if (this.latest !== null && performance.now() < this.latest) {
      clearTimeout(this.timer);
    }
  }

  /** Asks the page for the files soon; called when a cell is done. Asks once for each file. */
  askSoon(): void {
    if (this.assets.length > this.asked) {
      const now = performance.now();
      this.latest ??= now + MAX_DELAY_MS;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(), Math.min(DELAY_MS, this.latest - now));
    }
  }

  /** Takes a file that the page has fetched. @returns whether it was the last one. */
  take(url: string, file: Uint8Array | Blob): boolean {
    const asset = this.assets.find(each => each.url === url);
    asset?.take(file);
    try {
      asset?.onTaken?.();
    } catch {
      // reported by the asset, and again when Python needs it
    }
    return asset !== undefined && ++this.taken === this.assets.length;
  }

  private ask(): void {
    const wanted = this.assets.slice(this.asked);
    this.asked = this.assets.length;
    this.latest = null;
    wanted.forEach(({ url }) => this.post({ type: 'fetch', url }));
  }
}
