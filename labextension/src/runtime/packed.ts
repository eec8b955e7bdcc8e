/**
 * Fetches the compressed files that are made at build time, and unpacks them while they arrive. They are compressed whatever the
 * web host does, since many hosts compress nothing, or only text.
 */
import { checkHash, checkSum, isGzip, readAsset } from './assets';
import { free, freeingStream, gather } from './bytes';
import { isXZ, unxz } from './xz';
import { isZstd, unzstd } from './zstd';

/** A compressed file. `size` and `sha256` are those of the file itself, `crc32` is that of its contents. */
export interface PackedFile {
  file: string;
  sha256: string;
  size: number;
  crc32: number;
  /** SHA-256 of its contents. */
  contents_sha256?: string;
  /** Missing where it is gzip. */
  format?: 'zstd' | 'xz';
  /** The same contents in fewer bytes, which take longer to unpack. */
  smaller?: Pick<PackedFile, 'file' | 'sha256' | 'size' | 'format'>;
}

/** Whether an entry of the manifest has what is needed to read a file and to check it. */
export function isPackedFile(entry: Partial<PackedFile> | undefined): boolean {
  const { file, sha256, size, crc32 } = entry ?? {};
  return [file, sha256].every(text => typeof text === 'string') && [size, crc32].every(Number.isInteger);
}

/** The smaller form of a file; null if there is none. */
export const smallerForm = (entry: PackedFile): PackedFile | null =>
  entry.smaller ? { ...entry, ...entry.smaller } : null;

/**
 * Reads a file in the form that suits the line. Where the smaller form does not work, the other one is read.
 *
 * @param isSlow - whether the line is slow.
 */
export async function readForm<T>(
  entry: PackedFile,
  isSlow: boolean,
  read: (entry: PackedFile) => Promise<T>,
): Promise<T> {
  const smaller = isSlow ? smallerForm(entry) : null;
  if (smaller) {
    try {
      return await read(smaller);
    } catch (error) {
      if (error instanceof RangeError) {
        throw error; // no memory
      }
    }
  }
  return read(entry);
}

const isFormat = { gzip: isGzip, zstd: isZstd, xz: isXZ };

/** The contents of a file: a stream, and whether they are right. */
interface Contents {
  stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Rejects if the file is not the one in the manifest. */
  checked: Promise<unknown>;
  /** The error for a stream that fails: browsers only say "failed to fetch". */
  incomplete: Error;
}

/** Whether the bytes begin as a file of this format does. */
function isPacked(bytes: Uint8Array, { format }: PackedFile): boolean {
  return isFormat[format ?? 'gzip'](bytes);
}

/** A stream that unpacks files of this format. */
export function unpacker({ format }: PackedFile): ReadableWritablePair<Uint8Array<ArrayBuffer>, Uint8Array> {
  const stream = format === 'zstd' ? unzstd() : format === 'xz' ? unxz() : new DecompressionStream('gzip');
  return stream as ReadableWritablePair<Uint8Array<ArrayBuffer>, Uint8Array>;
}

/** Unpacks an answer of the server. */
async function unpack(answer: Response, entry: PackedFile): Promise<Contents> {
  const incomplete = new Error(`it is not a complete ${entry.format ?? 'gzip'} file`);
  let source = answer;
  if (answer.headers.has('content-encoding')) {
    const bytes = new Uint8Array(await answer.arrayBuffer());
    source = new Response(bytes);
    if (!isPacked(bytes, entry)) {
      checkSum(bytes, entry.crc32); // the host said that the file is an encoding, so the browser has unpacked it
      return { stream: source.body!, checked: Promise.resolve(), incomplete };
    }
  }
  const copy = source.clone();
  return {
    stream: source.body!.pipeThrough(unpacker(entry)),
    checked: copy.arrayBuffer().then(async packed => {
      await checkHash(packed, entry.sha256);
      free(packed);
    }),
    incomplete,
  };
}

async function readContents<T>(
  folderURL: string,
  entry: PackedFile,
  read: (contents: ReadableStream<Uint8Array<ArrayBuffer>>) => Promise<T>,
): Promise<T> {
  return readAsset(folderURL + entry.file, async answer => {
    const { stream, checked, incomplete } = await unpack(answer, entry);
    const reading = read(stream).catch((error: unknown) => {
      throw error instanceof RangeError ? error : incomplete; // a RangeError means no memory
    });
    return (await Promise.all([reading, checked]))[0];
  });
}

/** Fetches a file, unpacks it while it arrives, and checks it. */
export async function readPacked(folderURL: string, entry: PackedFile): Promise<ArrayBuffer> {
  return readContents(folderURL, entry, gather);
}

/** Fetches a WebAssembly module, unpacks and compiles it while it arrives, and checks it. */
export async function compilePacked(folderURL: string, entry: PackedFile): Promise<WebAssembly.Module> {
  return readContents(folderURL, entry, contents =>
    WebAssembly.compileStreaming(
      new Response(freeingStream(contents), { headers: { 'content-type': 'application/wasm' } }),
    ),
  );
}
