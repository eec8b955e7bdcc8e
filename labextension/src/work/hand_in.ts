/**
 * Hand-in files (`.bglab`): a notebook with its files, their hashes and the history of its checks, in one zip file. docs/reference/hand-in.md
 * describes the format.
 *
 * Where the site names a teacher's public key, the file is encrypted in the format age (https://age-encryption.org/v1). The package
 * `age-encryption`, by the format's author, does that: 50 KB, which the page loads from the site when a file is made. Browsers have
 * the primitives (X25519, HKDF), but not the cipher (ChaCha20-Poly1305), and no format that tools for teachers read.
 */
import { zipWithList, type ArchiveAbout, type ArchiveFile } from './archive';
import type { VersionCounts } from './history';

const LIST_NAME = 'browsergrad-hand-in.json';
const PUBLIC_PREFIX = 'age1';
/** Longest file, in bytes: `jupyter browsergrad grade` reads no longer ones, unless it is told to. */
export const MAX_HAND_IN_BYTES = 16 * 1024 * 1024;
export const SUFFIX = '.bglab';

/** The counts of a notebook's checks at a moment. */
export interface CheckRecord extends VersionCounts {
  /** ISO 8601. */
  time: string;
}

export interface HandInAbout extends ArchiveAbout {
  /** Path of the notebook that is handed in, among the files. */
  notebook: string;
  /** Oldest first. */
  checks: CheckRecord[];
}

/** The key that the site names is not one. */
export class BadKey extends Error {}

/**
 * @param publicKey - whose owner alone can read the file; empty if everybody may.
 * @throws BadKey
 */
export async function makeHandIn(
  files: readonly ArchiveFile[],
  about: HandInAbout,
  publicKey: string,
): Promise<Uint8Array> {
  const list = { format: 'browsergrad-hand-in', format_version: 1, ...about };
  const data = await zipWithList(LIST_NAME, list, files);
  return publicKey ? encrypt(data, publicKey) : data;
}

async function encrypt(data: Uint8Array, publicKey: string): Promise<Uint8Array> {
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  try {
    if (!publicKey.startsWith(PUBLIC_PREFIX)) {
      throw new Error(`it does not begin with ${PUBLIC_PREFIX}`);
    }
    encrypter.addRecipient(publicKey);
  } catch (error) {
    throw new BadKey((error as Error).message);
  }
  return encrypter.encrypt(data);
}

/** Returns the records without those that repeat the counts of the one before. */
export function withoutRepeats(checks: readonly CheckRecord[]): CheckRecord[] {
  const counts = ({ pass, fail, error }: CheckRecord): string => `${pass} ${fail} ${error}`;
  return checks.filter((one, i) => i === 0 || counts(one) !== counts(checks[i - 1]));
}
