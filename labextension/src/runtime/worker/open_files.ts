/**
 * The drive's files that are open: their contents are loaded when the first descriptor opens them, and written back when
 * they changed.
 *
 * As on Linux, a file that is removed or replaced while it is open lives on for those who have it open. Emscripten keeps a
 * node for each name it has seen; our node of an open file holds its `driveFile`, and so does each of its streams.
 */
import { DriveFile } from './drive_file';
import type { DriveRequests } from './drive_requests';
import type { FSNode } from './emscripten';

const FILE_MODE = 0o100666;
const O_CREAT = 64;

export class OpenFiles {
  /** Nodes of files that are open, by their names. */
  private readonly nodes = new Set<FSNode>();

  constructor(private readonly requests: DriveRequests) {}

  /** @throws ErrnoError */
  load(node: FSNode): DriveFile {
    const value = this.requests.ask('get', this.requests.path(node)) as { data: Uint8Array } | null;
    if (!value) {
      throw this.requests.error('ENOENT');
    }
    return new DriveFile(value.data);
  }

  /** The contents for one more descriptor. */
  open(node: FSNode, flags: number): DriveFile {
    const file = node.driveFile ?? this.loadOrMake(node, flags);
    file.opened++;
    node.driveFile = file;
    this.nodes.add(node);
    return file;
  }

  /** One descriptor less. */
  close(node: FSNode, file: DriveFile): void {
    if (--file.opened <= 0 && node.driveFile === file) {
      node.driveFile = undefined;
      this.nodes.delete(node);
    }
  }

  /** The name of an open file is gone, or another file's. */
  detach(parent: FSNode, name: string): void {
    for (const node of this.nodes) {
      if (node.parent === parent && node.name === name) {
        node.driveFile!.removed = true;
        this.nodes.delete(node);
      }
    }
  }

  save(node: FSNode, file: DriveFile): void {
    file.save(bytes => this.requests.ask('put', this.requests.path(node), { data: bytes }));
  }

  /**
   * Writes back all files that have changed and are still open.
   *
   * @returns one line for each that could not be.
   */
  saveAll(): string {
    let problems = '';
    for (const node of this.nodes) {
      try {
        this.save(node, node.driveFile!);
      } catch (error) {
        const { requests } = this;
        problems += `${requests.path(node)} has changes that could not be saved: ${requests.reason(error)}\n`;
      }
    }
    return problems;
  }

  /** Of a file that somebody else has removed since Emscripten saw it: made anew, where that is asked for. */
  private loadOrMake(node: FSNode, flags: number): DriveFile {
    try {
      return this.load(node);
    } catch (error) {
      if (!(flags & O_CREAT) || !this.requests.is(error, 'ENOENT')) {
        throw error;
      }
      this.requests.ask('mknod', this.requests.path(node), { mode: FILE_MODE });
      return new DriveFile();
    }
  }
}
