/**
 * The contents of one file of the drive while it is open: held once however often it is opened, growing geometrically,
 * and written back only when they changed.
 */

/** Ms after which changes are written back though the file stays open. */
const SAVE_MS = 2000;
/** The pause after writing back, as a multiple of the time that took. */
const SAVE_PAUSE = 20;

export class DriveFile {
  dirty = false;
  /** How many descriptors there are. */
  opened = 0;
  /**
   * Whether its name is gone or names another file now. It lives on for those who have it open, and is not written
   * back.
   */
  removed = false;
  /** `Date.now()` of its last change; before the first one, of its opening. */
  changed = Date.now();
  private saveAt = Date.now() + SAVE_MS;

  /** @param data Capacity may exceed `size`. */
  constructor(
    private data: Uint8Array = new Uint8Array(0),
    public size = data.length,
  ) {}

  get bytes(): Uint8Array {
    return this.data.subarray(0, this.size);
  }

  resize(size: number): void {
    if (size > this.data.length) {
      const data = new Uint8Array(Math.max(size, this.data.length * 2, 4096));
      data.set(this.bytes);
      this.data = data;
    } else if (size < this.size) {
      this.data.fill(0, size, this.size);
    }
    this.size = size;
    this.touch();
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    const size = Math.max(0, Math.min(this.size - position, length));
    into.set(this.data.subarray(position, position + size), offset);
    return size;
  }

  write(from: Uint8Array, position: number): void {
    if (position + from.length > this.size) {
      this.resize(position + from.length);
    }
    this.data.set(from, position);
    this.touch();
  }

  /** Takes the contents of a mapping. Only bytes that differ count as a change. */
  writeMapped(from: Uint8Array, position: number): void {
    const bytes = from.subarray(0, Math.max(0, this.size - position));
    const known = this.data.subarray(position, position + bytes.length);
    if (bytes.some((byte, at) => byte !== known[at])) {
      this.write(bytes, position);
    }
  }

  private touch(): void {
    this.dirty = true;
    this.changed = Date.now();
  }

  /** Whether changes have waited long enough for a file that stays open. */
  get due(): boolean {
    return this.dirty && this.changed > this.saveAt;
  }

  /** Calls `put` with the contents if they have changed; `put` may throw. */
  save(put: (bytes: Uint8Array) => void): void {
    if (!this.dirty || this.removed) {
      return;
    }
    const start = Date.now();
    try {
      put(this.bytes);
      this.dirty = false;
    } finally {
      const end = Date.now();
      this.saveAt = end + Math.max(SAVE_MS, SAVE_PAUSE * (end - start));
    }
  }
}
