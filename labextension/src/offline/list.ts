/** The list of the site's files, which the build writes, and what is to be done for a copy of them. */

export interface SiteFile {
  /** Relative to the site's root. */
  path: string;
  /** In bytes. */
  size: number;
  sha256: string;
}

export interface SiteList {
  /** Hash of the files' paths and hashes. */
  version: string;
  files: SiteFile[];
}

/** Version of the list's format. */
const FORMAT = 1;

const isFile = ({ path, size, sha256 }: Partial<SiteFile>): boolean =>
  typeof path === 'string' && typeof size === 'number' && typeof sha256 === 'string';

/** @returns null if it is not a list that this version understands, such as the page of a login. */
export function parseList(text: string): SiteList | null {
  try {
    const { format, version, files } = JSON.parse(text);
    return format === FORMAT && typeof version === 'string' && files.every(isFile) ? { version, files } : null;
  } catch {
    return null;
  }
}

/** The sum of the files' sizes, in bytes. */
export const sizeOf = (files: readonly SiteFile[]): number => files.reduce((sum, { size }) => sum + size, 0);

export interface Plan {
  /** Files that an older version has, with the path that each has there. */
  copied: { file: SiteFile; from: string }[];
  fetched: SiteFile[];
}

/**
 * What is missing for a whole copy.
 *
 * @param there - paths of the files that the copy has. Each was checked when it was stored.
 * @param older - the list of a whole older version, if there is one.
 */
export function plan(list: SiteList, there: ReadonlySet<string>, older: SiteList | null): Plan {
  const paths = new Map(older?.files.map(({ sha256, path }) => [sha256, path]));
  const missing = list.files.filter(({ path }) => !there.has(path));
  return {
    copied: missing.flatMap(file => {
      const from = paths.get(file.sha256);
      return from === undefined ? [] : [{ file, from }];
    }),
    fetched: missing.filter(({ sha256 }) => !paths.has(sha256)),
  };
}
