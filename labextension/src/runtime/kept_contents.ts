/**
 * Keeps unpacked files in the browser's Cache storage, so that a later visit neither asks for them nor unpacks them. Where the browser
 * refuses that, or something is wrong with what it has kept, files are fetched and unpacked as on the first visit.
 */
import { checkHash, isInstalled } from './assets';
import { free } from './bytes';
import { smallerForm, unpacker, type PackedFile } from './packed';

const CACHE = 'browsergrad-unpacked';
/** Only what is a small part of the browser's room is kept: students' work needs the room more. */
const LEAST_PARTS = 10;

/** The browser's Cache storage; undefined where there is none, as on insecure origins and in sandboxed frames. */
function storage(): CacheStorage | undefined {
  try {
    return globalThis.caches;
  } catch {
    return undefined;
  }
}

/** The address under which a file's contents are kept. The file's name has the hash of its version. */
const addressOf = (folderURL: string, { file }: PackedFile): string => `${folderURL}${file}?unpacked`;

/** What earlier visits have kept. */
export class KeptContents {
  /** Begins at once, so that a first visit does not wait for it when it needs the files. */
  private readonly isThere: Promise<boolean>;

  constructor(private readonly folderURL: string) {
    this.isThere = (async () => !isInstalled(folderURL) && ((await storage()?.has(CACHE)) ?? false))().catch(
      () => false,
    );
  }

  /** @returns null if the file is not kept, or not as it was. */
  async read(entry: PackedFile): Promise<ArrayBuffer | null> {
    return this.take(entry, async (contents, sha256) => {
      const bytes = await contents.arrayBuffer();
      await checkHash(bytes, sha256);
      return bytes;
    });
  }

  /** Compiles a kept WebAssembly module. @returns null if it is not kept, or not as it was. */
  async compile(entry: PackedFile): Promise<WebAssembly.Module | null> {
    return this.take(entry, async (contents, sha256) => {
      // Not while it is read: that would take two streams, since all of its bytes are checked, and the thread has much else to do.
      const bytes = await contents.arrayBuffer();
      const [module] = await Promise.all([WebAssembly.compile(bytes), checkHash(bytes, sha256)]);
      free(bytes);
      return module;
    });
  }

  private async take<T>(
    entry: PackedFile,
    read: (contents: Response, sha256: string) => Promise<T>,
  ): Promise<T | null> {
    const { contents_sha256: sha256 } = entry;
    if (!sha256 || !(await this.isThere)) {
      return null;
    }
    const address = addressOf(this.folderURL, entry);
    try {
      const contents = await storage()!.match(address, { cacheName: CACHE });
      return contents ? await read(contents, sha256) : null;
    } catch (error) {
      if (error instanceof RangeError) {
        throw error; // no memory
      }
      await forget(address).catch(() => undefined);
      return null;
    }
  }
}

async function forget(address: string): Promise<void> {
  await (await storage()!.open(CACHE)).delete(address);
}

/** What is kept: the unpacked memory, and the contents of packed files. */
export interface Keepable {
  snapshot: PackedFile;
  memory: ArrayBuffer;
  /** Pyodide's WebAssembly, and its modules. */
  core?: { wasm: PackedFile; scripts: PackedFile };
}

/**
 * Keeps the contents of these files in place of those of earlier versions. Fetches nothing from the site.
 *
 * @returns whether the memory is kept.
 * @throws Error if the browser refuses it.
 */
export async function keepContents(folderURL: string, { snapshot, memory, core }: Keepable): Promise<boolean> {
  const caches = storage();
  if (!caches || !snapshot.contents_sha256 || !(await hasRoom(2 * memory.byteLength))) {
    return false;
  }
  const cache = await caches.open(CACHE);
  const files = core ? [core.wasm, core.scripts] : [];
  const wanted = [snapshot, ...files].map(entry => addressOf(folderURL, entry));
  const kept = (await cache.keys()).map(({ url }) => url);
  await Promise.all(
    kept.filter(url => url.startsWith(folderURL) && !wanted.includes(url)).map(url => cache.delete(url)),
  );
  if (!kept.includes(wanted[0])) {
    await cache.put(wanted[0], new Response(memory));
  }
  for (const entry of files) {
    const address = addressOf(folderURL, entry);
    const contents = kept.includes(address) ? null : await unpackedAgain(folderURL, entry);
    if (contents) {
      await cache.put(address, new Response(contents));
    }
  }
  return true;
}

/** The contents of a file that the browser's own cache still has. Where it does not, it is not worth fetching twice. */
async function unpackedAgain(folderURL: string, entry: PackedFile): Promise<ReadableStream | null> {
  for (const form of [entry, smallerForm(entry)]) {
    const packed =
      form && (await fetch(folderURL + form.file, { cache: 'only-if-cached', mode: 'same-origin' }).catch(() => null));
    if (packed?.ok) {
      return packed.body!.pipeThrough(unpacker(form!));
    }
  }
  return null;
}

async function hasRoom(size: number): Promise<boolean> {
  const { quota = 0, usage = 0 } = await navigator.storage.estimate();
  return quota - usage > LEAST_PARTS * size;
}
