/** The drive as Emscripten sees it: each operation is one request, and open files behave as on Linux. */
import { beforeEach, describe, expect, it } from 'vitest';

import { CallInterrupted } from '../../src/runtime/worker/page_calls';
import { DriveFS } from '../../src/runtime/worker/drive_fs';
import type { FSNode, FSStream } from '../../src/runtime/worker/emscripten';
import { ERRNO, FakeFS } from './fake_fs';

const O_RDWR = 2;
const O_CREAT = 64;
const FILE = 0o100666;
const FOLDER = 0o40777;

interface NodeOps {
  getattr(node: FSNode): { size: number; nlink: number; mtime: Date; atime: Date };
  setattr(node: FSNode, changes: object): void;
  lookup(parent: FSNode, name: string): FSNode;
  mknod(parent: FSNode, name: string, mode: number): FSNode;
  rename(node: FSNode, parent: FSNode, name: string): void;
  unlink(parent: FSNode, name: string): void;
  rmdir(parent: FSNode, name: string): void;
  readdir(node: FSNode): string[];
  symlink(): void;
  readlink(): void;
}

interface StreamOps {
  open(stream: FSStream): void;
  close(stream: FSStream): void;
  dup(stream: FSStream): void;
  fsync(stream: FSStream): number;
  read(stream: FSStream, buffer: Uint8Array, offset: number, length: number, position: number): number;
  write(stream: FSStream, buffer: Uint8Array, offset: number, length: number, position: number): number;
  llseek(stream: FSStream, offset: number, whence: number): number;
  msync(stream: FSStream, buffer: Uint8Array, offset: number, length: number): number;
}

/** The page's drive: files by their paths, null for folders. */
class Drive {
  readonly files = new Map<string, Uint8Array | null>();
  readonly asked: string[] = [];
  /** Thrown at the next request. */
  failure: Error | null = null;
  errno = '';

  call({ request }: { request: unknown }): unknown {
    const { method, path, data } = request as { method: string; path: string; data?: Record<string, unknown> };
    this.asked.push(`${method} ${path}`);
    if (this.failure) {
      throw this.failure;
    }
    if (this.errno) {
      return { ok: false, errno: this.errno, message: '' };
    }
    return { ok: true, value: this.answer(method, path, data) };
  }

  private answer(method: string, path: string, data?: Record<string, unknown>): unknown {
    const found = this.files.get(path);
    switch (method) {
      case 'get':
        return found ? { data: found } : null;
      case 'put':
        this.files.set(path, (data!.data as Uint8Array).slice());
        return null;
      case 'mknod':
        this.files.set(path, (data!.mode as number) === FOLDER ? null : new Uint8Array(0));
        return null;
      case 'lookup':
        return found === undefined ? { ok: false } : { ok: true, mode: found ? FILE : FOLDER };
      case 'getattr':
        return { size: found?.length ?? 0, mtime: '2026-01-01T00:00:00Z', ctime: '2026-01-01T00:00:00Z' };
      case 'readdir':
        return [...this.files.keys()].filter(key => key.startsWith(`${path}/`)).map(key => key.slice(path.length + 1));
      case 'rename':
        this.files.set(data!.newPath as string, found!);
        this.files.delete(path);
        return null;
      case 'rmdir':
        this.files.delete(path);
        return null;
      default:
        return null;
    }
  }
}

const text = (bytes: Uint8Array | null | undefined): string => new TextDecoder().decode(bytes ?? new Uint8Array(0));
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const errno = (act: () => unknown): number | undefined => {
  try {
    act();
  } catch (error) {
    return (error as { errno: number }).errno;
  }
  return undefined;
};

describe('the drive in Python', () => {
  let drive: Drive;
  let fs: DriveFS;
  let root: FSNode;
  let ops: NodeOps;
  let io: StreamOps;

  beforeEach(() => {
    drive = new Drive();
    fs = new DriveFS(new FakeFS().typed, ERRNO, drive);
    root = fs.mount();
    ops = root.node_ops as NodeOps;
    io = root.stream_ops as StreamOps;
  });

  function open(node: FSNode, flags = O_RDWR): FSStream {
    const stream = { node, position: 0, flags } as FSStream;
    io.open(stream);
    return stream;
  }

  function read(stream: FSStream, length = 100, position = 0): string {
    const buffer = new Uint8Array(length);
    return text(buffer.subarray(0, io.read(stream, buffer, 0, length, position)));
  }

  const write = (stream: FSStream, value: string, position = 0): number =>
    io.write(stream, bytes(value), 0, bytes(value).length, position);

  it('finds files and folders, and what is in them', () => {
    drive.files.set('a', null);
    drive.files.set('a/b.txt', bytes('hello'));
    const folder = ops.lookup(root, 'a');
    const file = ops.lookup(folder, 'b.txt');
    expect([folder.mode, file.mode]).toEqual([FOLDER, FILE]);
    expect(ops.readdir(folder)).toEqual(['.', '..', 'b.txt']);
    expect(ops.getattr(file)).toMatchObject({ size: 5, nlink: 1, mtime: new Date('2026-01-01T00:00:00Z') });
    expect(errno(() => ops.lookup(root, 'none'))).toBe(ERRNO.ENOENT);
  });

  it('refuses names that are too long, counted in bytes', () => {
    expect(errno(() => ops.lookup(root, 'é'.repeat(128)))).toBe(ERRNO.ENAMETOOLONG);
    expect(errno(() => ops.mknod(root, 'é'.repeat(128), FILE))).toBe(ERRNO.ENAMETOOLONG);
    expect(drive.asked).toEqual([]);
    ops.mknod(root, 'é'.repeat(127), FILE);
  });

  it('writes a file back when it is closed, once, and only if it changed', () => {
    const node = ops.mknod(root, 'a', FILE);
    const stream = open(node);
    expect(write(stream, 'hello')).toBe(5);
    expect(read(stream)).toBe('hello');
    io.close(stream);
    expect(text(drive.files.get('a'))).toBe('hello');
    const asked = drive.asked.length;
    io.close(open(node));
    expect(drive.asked.slice(asked)).toEqual(['get a']);
  });

  it('loads a file once however often it is opened', () => {
    drive.files.set('a', bytes('x'));
    const node = ops.lookup(root, 'a');
    const [first, second] = [open(node), open(node)];
    write(first, 'y');
    expect(read(second)).toBe('y');
    io.dup(first);
    io.close(first);
    io.close(second);
    expect(node.driveFile).toBeDefined();
    io.close(first);
    expect(node.driveFile).toBeUndefined();
    expect(drive.asked.filter(line => line === 'get a')).toHaveLength(1);
  });

  it('keeps a removed file for those who have it open, and writes it nowhere', () => {
    const node = ops.mknod(root, 'a', FILE);
    const stream = open(node);
    write(stream, 'kept');
    ops.unlink(root, 'a');
    expect(read(stream)).toBe('kept');
    expect(ops.getattr(node)).toMatchObject({ nlink: 0, size: 4 });
    io.close(stream);
    expect(drive.files.has('a')).toBe(false);
  });

  it('moves files, and what they replace lives on for those who have it open', () => {
    drive.files.set('old', bytes('old'));
    drive.files.set('new', bytes('new'));
    const [from, to] = [ops.lookup(root, 'old'), ops.lookup(root, 'new')];
    const stream = open(to);
    ops.rename(from, root, 'new');
    expect([from.name, text(drive.files.get('new')), read(stream)]).toEqual(['new', 'old', 'new']);
    write(stream, 'lost');
    io.close(stream);
    expect(text(drive.files.get('new'))).toBe('old');
  });

  it('removes only empty folders', () => {
    drive.files.set('a', null);
    drive.files.set('a/b', bytes(''));
    ops.lookup(root, 'a');
    expect(errno(() => ops.rmdir(root, 'a'))).toBe(ERRNO.ENOTEMPTY);
    drive.files.delete('a/b');
    ops.rmdir(root, 'a');
    expect(drive.files.has('a')).toBe(false);
  });

  it('cuts and lengthens files, open or not', () => {
    drive.files.set('a', bytes('hello'));
    const node = ops.lookup(root, 'a');
    ops.setattr(node, { size: 2 });
    expect(text(drive.files.get('a'))).toBe('he');
    const stream = open(node);
    ops.setattr(node, { size: 3 });
    expect(read(stream)).toBe('he\0');
    ops.setattr(node, { mode: 0o100444 });
    expect(node.mode).toBe(0o100444);
  });

  it('keeps times that Python sets while the drive’s own stay', () => {
    drive.files.set('a', bytes('x'));
    const node = ops.lookup(root, 'a');
    ops.setattr(node, { atime: 1000, mtime: 2000 });
    expect(ops.getattr(node)).toMatchObject({ atime: new Date(1000), mtime: new Date(2000) });
    ops.setattr(node, { mtime: 3000, atime: null });
    expect(ops.getattr(node)).toMatchObject({ atime: new Date(1000), mtime: new Date(3000) });
    const stream = open(node);
    write(stream, 'y');
    expect(ops.getattr(node).mtime.getTime()).toBeGreaterThan(3000);
  });

  it('gives a folder another time when a name comes or goes: importers look again then', () => {
    const times = [ops.getattr(root).mtime.getTime()];
    ops.mknod(root, 'a', FILE);
    times.push(ops.getattr(root).mtime.getTime());
    ops.unlink(root, 'a');
    times.push(ops.getattr(root).mtime.getTime());
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(new Set(times).size).toBe(3);
  });

  it('makes a file anew that somebody else has removed, where that is asked for', () => {
    drive.files.set('a', bytes('x'));
    const node = ops.lookup(root, 'a');
    drive.files.delete('a');
    expect(errno(() => open(node))).toBe(ERRNO.ENOENT);
    expect(read(open(node, O_RDWR | O_CREAT))).toBe('');
    expect(drive.files.has('a')).toBe(true);
  });

  it('saves what is still open, and says what could not be saved', () => {
    const stream = open(ops.mknod(root, 'a', FILE));
    write(stream, 'one');
    expect(fs.saveAll()).toBe('');
    expect(text(drive.files.get('a'))).toBe('one');
    write(stream, 'two');
    drive.errno = 'ENODEV';
    expect(fs.saveAll()).toBe('a has changes that could not be saved: ENODEV\n');
    drive.errno = '';
    expect(io.fsync(stream)).toBe(0);
    expect(text(drive.files.get('a'))).toBe('two');
  });

  it('moves to a position from the beginning, from here, or from the end', () => {
    drive.files.set('a', bytes('hello'));
    const stream = open(ops.lookup(root, 'a'));
    stream.position = 2;
    expect([io.llseek(stream, 1, 0), io.llseek(stream, 1, 1), io.llseek(stream, -1, 2)]).toEqual([1, 3, 4]);
    expect(errno(() => io.llseek(stream, -3, 1))).toBe(ERRNO.EINVAL);
  });

  it('takes what a mapping holds when it differs', () => {
    drive.files.set('a', bytes('hello'));
    const stream = open(ops.lookup(root, 'a'));
    io.msync(stream, bytes('hello'), 0, 5);
    expect(drive.asked).not.toContain('put a');
    io.msync(stream, bytes('HELLO'), 0, 5);
    expect(text(drive.files.get('a'))).toBe('HELLO');
  });

  it.each([
    [new CallInterrupted('interrupted'), '', ERRNO.EINTR],
    [new Error('broken'), '', ERRNO.EIO],
    [null, 'EPERM', ERRNO.EPERM],
    [null, 'EWHATEVER', ERRNO.EIO],
  ])('turns each failure into an errno: %#', (failure, code, expected) => {
    Object.assign(drive, { failure, errno: code });
    expect(errno(() => ops.readdir(root))).toBe(expected);
  });

  it('has no links', () => {
    expect([errno(() => ops.symlink()), errno(() => ops.readlink())]).toEqual([ERRNO.EPERM, ERRNO.EINVAL]);
    expect(errno(() => ops.mknod(root, 'fifo', 0o010666))).toBe(ERRNO.EINVAL);
  });
});
