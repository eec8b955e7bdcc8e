/**
 * Reads a lab's files from the contents manager, byte for byte. It distinguishes a missing file from all other failures, whereas
 * JupyterLite's own drive treats any failure to read the site's index as an empty folder.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PageConfig, PathExt, URLExt } from '@jupyterlab/coreutils';
import { ServerConnection, type Contents } from '@jupyterlab/services';

import { openNotebookMetadata } from '../notebook_metadata';
import { fromBase64 } from '../runtime/base64';
import type { LabFiles } from './gate';

/** Called with the bytes received so far, and with their total; null if the server does not say. */
export type OnProgress = (loaded: number, total: number | null) => void;

interface SiteIndex {
  content: { name: string; type: string }[];
}

export class ContentsFiles implements LabFiles {
  constructor(
    private readonly contents: Contents.IManager,
    private readonly shell: JupyterFrontEnd.IShell,
    /** Whether the contents are those of a JupyterLite site. */
    readonly isSite: boolean,
  ) {}

  async read(path: string, signal: AbortSignal, onProgress?: OnProgress): Promise<Uint8Array | null> {
    if (this.isSite && this.contents.driveName(path) === '') {
      return (await this.readStored(path)) ?? this.readSite(path, signal, onProgress);
    }
    try {
      const options = { type: 'file', format: 'base64', content: true } as const;
      const { content } = await this.contents.get(path, options);
      return fromBase64(content as string);
    } catch (error) {
      if (error instanceof ServerConnection.ResponseError && error.response.status === 404) {
        return null;
      }
      throw error;
    }
  }

  /** Returns the file at `path`, but not if only the site publishes it. */
  async readOwn(path: string, signal: AbortSignal): Promise<Uint8Array | null> {
    return this.isSite && this.contents.driveName(path) === '' ? this.readStored(path) : this.read(path, signal);
  }

  /** Returns the published file at `path`, even if the browser's storage has another one. */
  async readSite(path: string, signal: AbortSignal, onProgress?: OnProgress): Promise<Uint8Array | null> {
    const allJson = PageConfig.getOption('contentsAllJsonFile');
    if (!this.isSite || !allJson) {
      return null;
    }
    const folder = PathExt.dirname(path);
    const base = PageConfig.getBaseUrl();
    const index = await get(URLExt.join(base, 'api/contents', URLExt.encodeParts(folder), allJson), signal);
    if (index === null) {
      return null; // a folder that exists only in the browser's storage
    }
    const { content } = (await index.json()) as SiteIndex;
    const name = PathExt.basename(path);
    if (!content.some(entry => entry.name === name && entry.type !== 'directory')) {
      return null;
    }
    const file = await get(URLExt.join(base, 'files', URLExt.encodeParts(path)), signal);
    if (file === null) {
      throw new Error(`the site lists ${path} but does not have it`);
    }
    return readAll(file, onProgress);
  }

  async metadata(notebook: string, signal: AbortSignal): Promise<unknown> {
    const bytes = await this.read(notebook, signal);
    if (!bytes?.length) {
      return undefined;
    }
    const content = JSON.parse(new TextDecoder().decode(bytes)) as { metadata?: { browsergrad?: unknown } };
    return content?.metadata?.browsergrad;
  }

  openMetadata(notebook: string): { value: unknown } | undefined {
    return openNotebookMetadata(this.shell, context => context.path === notebook && context.isReady);
  }

  /** Returns the file at `path` in the browser's storage; null if there is none. */
  private async readStored(path: string): Promise<Uint8Array | null> {
    // JupyterLite's drive decodes the paths that it is given.
    const url = await this.contents.getDownloadUrl(path.replaceAll('%', '%25'));
    if (!url.startsWith('blob:')) {
      return null;
    }
    try {
      return new Uint8Array(await (await fetch(url)).arrayBuffer());
    } finally {
      URL.revokeObjectURL(url);
    }
  }
}

/** Reads the body of a response, and reports progress. */
export async function readAll(response: Response, onProgress?: OnProgress): Promise<Uint8Array> {
  // For a compressed body, the server gives the compressed length.
  const { headers } = response;
  const total = headers.has('Content-Encoding') ? null : Number(headers.get('Content-Length')) || null;
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  const reader = response.body!.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    chunks.push(part.value);
    loaded += part.value.length;
    onProgress?.(loaded, total);
  }
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}

/** Fetches a file. @returns null if the server answers 404. */
async function get(url: string, signal: AbortSignal): Promise<Response | null> {
  let response: Response;
  try {
    response = await fetch(url, { cache: 'no-cache', signal });
  } catch (error) {
    throw new Error(`${url} could not be read: ${(error as Error).message}`);
  }
  if (response.status === 404) {
    return null;
  }
  if (!response.ok) {
    throw new Error(`${url} could not be read: the server answered ${response.status}`);
  }
  return response;
}
