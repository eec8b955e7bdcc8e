/**
 * Files of the site that Python may need after its start. The page fetches them, since the worker may block at any time.
 */
import type { LazyAsset } from './lazy_assets';
import type { Post } from './pyodide';

/** Ms between the end of the first cell and the request to the page. */
const DELAY_MS = 2000;

export class DeferredAssets {
  private readonly assets: LazyAsset[];
  /** For how many of the files the page has been asked. */
  private asked = 0;

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

  /** Asks the page for the files soon; called when a cell is done. Asks once for each file. */
  askSoon(): void {
    const wanted = this.assets.slice(this.asked);
    this.asked = this.assets.length;
    if (wanted.length) {
      setTimeout(() => wanted.forEach(({ url }) => this.post({ type: 'fetch', url })), DELAY_MS);
    }
  }

  /** Takes a file that the page has fetched. */
  take(url: string, bytes: Uint8Array): void {
    this.assets.find(asset => asset.url === url)?.take(bytes);
  }
}
