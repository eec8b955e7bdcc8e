/**
 * The contents of one open file of the drive. They are held once, however often the file is open, grow geometrically, and
 * are written back only if they have changed.
 */

/** Ms after which changes are written back although the file is still open. */
const SAVE_MS = 2000;
/** Pause after writing back, as a multiple of the time that writing took. */
const SAVE_PAUSE = 20;

export class DriveFile {
  dirty = false;
  /** Number of open descriptors. */
  opened = 0;
  /**
   * Whether the file's name is gone or belongs to another file now. Descriptors keep working, but nothing is written
   * back.
   */
  removed = false;
  /** `Date.now()` of the last change; before the first change, of the opening. */
  changed = Date.now();
  private saveAt = Date.now() + SAVE_MS;

  /** @param data May be longer than `size`. */
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

  /** Writes the contents of a memory mapping. Counts as a change only if bytes differ. */
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

  /** Whether it is time to write changes back although the file is still open. */
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
