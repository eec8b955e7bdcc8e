/**
 * Files of the site that Python may need after its start. The page fetches them, since the worker may block at any time.
 */
import type { LazyAsset } from './lazy_assets';
import type { Post } from './pyodide';

/** Ms between the end of the first cell and the request to the page. */
const DELAY_MS = 2000;

export class DeferredAssets {
  private isAsked = false;

  constructor(
    private readonly assets: readonly LazyAsset[],
    private readonly post: Post,
  ) {}

  /** Asks the page for the files soon; called when a cell is done. Only the first call has an effect. */
  askSoon(): void {
    if (!this.isAsked) {
      this.isAsked = true;
      setTimeout(() => this.assets.forEach(({ url }) => this.post({ type: 'fetch', url })), DELAY_MS);
    }
  }

  /** Takes a file that the page has fetched. */
  take(url: string, bytes: Uint8Array): void {
    this.assets.find(asset => asset.url === url)?.take(bytes);
  }
}
