/**
 * The open files of the drive. Contents are loaded when a file is opened first, and written back if they have changed.
 *
 * As on Linux, descriptors of a file keep working when the file is removed or replaced. Emscripten keeps a node for each name
 * that it has seen. The node of an open file holds its `driveFile`, and so does each of the file's streams.
 */
import { DriveFile } from './drive_file';
import type { DriveRequests } from './drive_requests';
import type { FSNode } from './emscripten';

const FILE_MODE = 0o100666;
const O_CREAT = 64;

export class OpenFiles {
  /** Nodes of the open files that still have a name. */
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

  /** Returns the contents for a further descriptor. */
  open(node: FSNode, flags: number): DriveFile {
    const file = node.driveFile ?? this.loadOrMake(node, flags);
    file.opened++;
    node.driveFile = file;
    this.nodes.add(node);
    return file;
  }

  /** A descriptor has been closed. */
  close(node: FSNode, file: DriveFile): void {
    if (--file.opened <= 0 && node.driveFile === file) {
      node.driveFile = undefined;
      this.nodes.delete(node);
    }
  }

  /** A name no longer belongs to the file that was open under it. */
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
   * Writes back all open files that have changed.
   *
   * @returns one line for each file that could not be saved.
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

  /** Loads a file. If somebody else has removed it since Emscripten saw it, makes it again if `flags` ask for that. */
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
