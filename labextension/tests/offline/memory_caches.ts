/** The browser's Cache storage, in memory. */
interface Stored {
  bytes: ArrayBuffer;
  headers: [string, string][];
}

export class MemoryCaches {
  readonly all = new Map<string, Map<string, Stored>>();
  /** Bytes that may still be stored. */
  room = Number.POSITIVE_INFINITY;

  has = async (name: string): Promise<boolean> => this.all.has(name);
  keys = async (): Promise<string[]> => [...this.all.keys()];
  delete = async (name: string): Promise<boolean> => this.all.delete(name);

  match = async (url: string, { cacheName }: { cacheName: string }): Promise<Response | undefined> => {
    const found = this.all.get(cacheName)?.get(url);
    return found && new Response(found.bytes, { headers: found.headers });
  };

  open = async (name: string): Promise<Cache> => {
    const files = this.all.get(name) ?? new Map<string, Stored>();
    this.all.set(name, files);
    return {
      keys: async () => Array.from(files.keys(), url => ({ url })),
      delete: async (url: string) => files.delete(url),
      put: async (url: string, response: Response) => {
        const bytes = await response.arrayBuffer();
        if (bytes.byteLength > this.room) {
          throw new DOMException('no room', 'QuotaExceededError');
        }
        this.room -= bytes.byteLength;
        files.set(url, { bytes, headers: [...response.headers] });
      },
    } as unknown as Cache;
  };

  /** Text of a stored file. */
  text(name: string, url: string): string | undefined {
    const found = this.all.get(name)?.get(url);
    return found && new TextDecoder().decode(found.bytes);
  }
}
