/**
 * Files of the site that Python may need after its start. The worker may block at any time, so the page fetches them.
 */
import type { LazyAsset } from './lazy_assets';
import type { Post } from './pyodide';

/** Ms after the first cell until the page is asked for them. */
const DELAY_MS = 2000;

export class DeferredAssets {
  private isAsked = false;

  constructor(
    private readonly assets: readonly LazyAsset[],
    private readonly post: Post,
  ) {}

  /** The first cell is done: asks the page for the files in a moment. Nothing happens when called again. */
  askSoon(): void {
    if (!this.isAsked) {
      this.isAsked = true;
      setTimeout(() => this.assets.forEach(({ url }) => this.post({ type: 'fetch', url })), DELAY_MS);
    }
  }

  /** A file that the page has fetched. */
  take(url: string, bytes: Uint8Array): void {
    this.assets.find(asset => asset.url === url)?.take(bytes);
  }
}
