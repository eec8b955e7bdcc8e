/**
 * Emscripten's operations on descriptors of the drive's files. Changed contents are written back on close, on fsync, at the
 * end of a request, and from time to time while a cell writes.
 */
import type { DriveRequests } from './drive_requests';
import type { EmscriptenFS, FSStream } from './emscripten';
import type { OpenFiles } from './open_files';

const SEEK_CUR = 1;
const SEEK_END = 2;
const O_ACCMODE = 3;
const O_RDONLY = 0;

/** Emscripten's `stream_ops`. */
export function driveStreams(FS: EmscriptenFS, requests: DriveRequests, files: OpenFiles): object {
  const operations = {
    open: (stream: FSStream): void => {
      const { node } = stream;
      if (FS.isFile(node.mode)) {
        stream.driveFile = files.open(node, stream.flags);
      }
    },

    dup: (stream: FSStream): void => {
      if (stream.driveFile) {
        stream.driveFile.opened++;
      }
    },

    close: (stream: FSStream): void => {
      const { node, driveFile: file } = stream;
      if (!file) {
        return;
      }
      try {
        if ((stream.flags & O_ACCMODE) !== O_RDONLY) {
          files.save(node, file);
        }
      } finally {
        files.close(node, file);
      }
    },

    fsync: (stream: FSStream): number => {
      if (stream.driveFile) {
        files.save(stream.node, stream.driveFile);
      }
      return 0;
    },

    read: ({ driveFile }: FSStream, buffer: Uint8Array, offset: number, length: number, position: number): number =>
      driveFile?.read(buffer, offset, length, position) ?? 0,

    write: (stream: FSStream, buffer: Uint8Array, offset: number, length: number, position: number): number => {
      const file = stream.driveFile;
      if (!file || length <= 0) {
        return 0;
      }
      file.write(buffer.subarray(offset, offset + length), position);
      if (file.due) {
        try {
          files.save(stream.node, file);
        } catch {
          // The error is reported when the file is closed.
        }
      }
      return length;
    },

    /** A mapping is a copy in Python's memory. Emscripten treats files in memory in the same way. */
    mmap: (stream: FSStream, length: number, position: number, protection: number, flags: number): object => {
      if (!stream.driveFile) {
        throw requests.error('ENODEV');
      }
      const inMemory = { node: { mode: stream.node.mode, contents: stream.driveFile.bytes } };
      return FS.filesystems.MEMFS.ops_table.file.stream.mmap(inMemory, length, position, protection, flags);
    },

    msync: (stream: FSStream, buffer: Uint8Array, offset: number, length: number): number => {
      stream.driveFile?.writeMapped(buffer.subarray(0, length), offset);
      return operations.fsync(stream);
    },

    llseek: (stream: FSStream, offset: number, whence: number): number => {
      let position = offset;
      if (whence === SEEK_CUR) {
        position += stream.position;
      } else if (whence === SEEK_END && FS.isFile(stream.node.mode)) {
        position += stream.driveFile?.size ?? 0;
      }
      if (position < 0) {
        throw requests.error('EINVAL');
      }
      return position;
    },
  };
  return operations;
}
