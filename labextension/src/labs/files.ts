/**
 * Reads a lab's files from the contents manager, byte for byte, and tells "no such file" from every other
 * failure. JupyterLite's own drive takes any failure of the site's index for an empty folder.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PageConfig, PathExt, URLExt } from '@jupyterlab/coreutils';
import { ServerConnection, type Contents } from '@jupyterlab/services';

import { openNotebookMetadata } from '../notebook_metadata';
import { fromBase64 } from '../runtime/base64';
import type { LabFiles } from './gate';

/** Bytes that have come, of how many; null where the server does not say. */
export type OnProgress = (loaded: number, total: number | null) => void;

interface SiteIndex {
  content: { name: string; type: string }[];
}

export class ContentsFiles implements LabFiles {
  constructor(
    private readonly contents: Contents.IManager,
    private readonly shell: JupyterFrontEnd.IShell,
    /** Whether the contents are those of a JupyterLite site. */
    private readonly isSite: boolean,
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

  /** What the site itself has at `path`, whatever the browser's storage has. */
  async readSite(path: string, signal: AbortSignal, onProgress?: OnProgress): Promise<Uint8Array | null> {
    const allJson = PageConfig.getOption('contentsAllJsonFile');
    if (!this.isSite || !allJson) {
      return null;
    }
    const folder = PathExt.dirname(path);
    const base = PageConfig.getBaseUrl();
    const index = await get(URLExt.join(base, 'api/contents', URLExt.encodeParts(folder), allJson), signal);
    if (index === null) {
      return null; // a folder of the browser's storage alone
    }
    const { content } = (await index.json()) as SiteIndex;
    const name = PathExt.basename(path);
    if (!content.some(entry => entry.name === name && entry.type !== 'directory')) {
      return null;
    }
    const file = await get(URLExt.join(base, 'files', URLExt.encodeParts(path)), signal);
    if (file === null) {
      throw new Error(`the site lists ${path} and does not have it`);
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

  /** What the browser's storage has at `path`. */
  private async readStored(path: string): Promise<Uint8Array | null> {
    // JupyterLite's drive decodes the paths it is given.
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

/** The body, told of as it comes. */
export async function readAll(response: Response, onProgress?: OnProgress): Promise<Uint8Array> {
  // Of a compressed body the length is that of what comes over the wire.
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

/** The answer, or null for 404. */
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
