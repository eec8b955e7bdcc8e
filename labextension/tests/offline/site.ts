/** Sites whose files are texts, with their lists. */
import { createHash } from 'node:crypto';

export const BASE = 'https://a.example/course/';
export const LIST = 'static/browsergrad/offline.json';
export const NAME = 'browsergrad-offline /course/';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export type Files = Record<string, string>;

export function listText(version: string, files: Files): string {
  const entries = Object.entries(files).map(([path, text]) => ({ path, size: text.length, sha256: sha256(text) }));
  return JSON.stringify({ format: 1, version, size_bytes: 0, files: entries });
}

/** Answers of a server with these files, and the paths it was asked for. */
export class Server {
  readonly asked: string[] = [];
  headers: Record<string, string> = {};
  /** Texts that differ from what the list says. */
  wrong: Files = {};
  isReached = true;

  constructor(
    public version: string,
    public files: Files,
  ) {}

  fetch = async (url: unknown, init?: RequestInit): Promise<Response> => {
    const path = decodeURIComponent(new URL(String(url)).pathname.slice('/course/'.length));
    this.asked.push(init?.cache === 'force-cache' ? path : `${path} again`);
    if (!this.isReached) {
      throw new TypeError('Failed to fetch');
    }
    const text =
      path === LIST && this.version ? listText(this.version, this.files) : (this.wrong[path] ?? this.files[path]);
    return text === undefined
      ? new Response('none', { status: 404 })
      : new Response(text, { headers: { ...this.headers, 'content-type': 'text/plain' } });
  };
}
