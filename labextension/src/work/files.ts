/**
 * The files of the second store, by paths such as `history/lab/1.gz`. There are no folders to make: they exist while they hold files.
 */
export interface WorkFiles {
  /** Returns null if there is no such file. */
  read(path: string): Promise<Uint8Array | null>;
  /** Writes a file whole: whoever reads it, after a crash too, gets what it held before or what it holds now. */
  write(path: string, data: Uint8Array): Promise<void>;
  /** Removes a file, or a folder with all its files. Does nothing if there is none. */
  remove(path: string): Promise<void>;
  /** Returns names of the files and folders in a folder; none if there is no such folder. */
  list(folder: string): Promise<string[]>;
  /** Removes what pages that have ended left half written in a folder. Nothing may be written there meanwhile. */
  removeUnfinished(folder: string): Promise<void>;
  /** Returns a file's length in bytes; 0 if there is no such file. */
  size(path: string): Promise<number>;
  /** Returns how many bytes the browser still lets this origin store; null if it does not say. */
  free(): Promise<number | null>;
}

/** Runs what needs a lock. `navigator.locks` in pages. */
export interface WorkLocks {
  shared<T>(name: string, run: () => Promise<T>): Promise<T>;
  exclusive<T>(name: string, run: () => Promise<T>): Promise<T>;
  /** Whether any page of this origin holds a lock. */
  isHeld(name: string): Promise<boolean>;
  /** Holds a lock until this page ends. */
  hold(name: string): void;
}

/** The second store cannot be used. The message says why, for people. */
export class NoWorkFiles extends Error {
  constructor(
    readonly code: 'insecure' | 'missing' | 'refused' | 'read-only' | 'full' | 'failed',
    message: string,
  ) {
    super(message);
    this.name = 'NoWorkFiles';
  }
}
