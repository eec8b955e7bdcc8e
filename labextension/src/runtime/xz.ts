/*! The decoder of XZ: XZ Embedded by Lasse Collin and Igor Pavlov (public domain), with walloc, Copyright (c) 2020 Igalia, S.L. (MIT). Compiled by xz-decompress: Copyright (c) Tim Perry, based on xzwasm, Copyright (c) Steve Sanderson (MIT). */
/**
 * Unpacks XZ while it arrives. It is a tenth smaller than Zstandard and takes several times as long to unpack, which costs nothing while
 * a slow line brings the rest of the file.
 *
 * The decoder is XZ Embedded, compiled to WebAssembly by the npm package xz-decompress. Only its exports are used here.
 */
import packed from 'xz-decoder.wasm';

import { unpackingStreams } from './unpacking_streams';

/** The decoder's exports. Pointers and sizes are those of its memory. */
interface Decoder {
  memory: WebAssembly.Memory;
  /** Returns the address of a context: `xz_buf` in six words (input, its position and size; output, its position and size) behind the buffers' size. */
  create_context(): number;
  supply_input(context: number, size: number): void;
  get_next_output(context: number): number;
}

/** Words of a context. */
const enum Word {
  BufferSize,
  Input,
  InputPosition,
  InputSize,
  Output,
  OutputPosition,
}
/** Answers of the decoder. Others are errors. */
const OK = 0;
const END = 1;
/** The last bytes of a file, "YZ". */
const FOOTER = 0x59_5a;

export function isXZ(bytes: Uint8Array): boolean {
  return [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0].every((byte, at) => bytes[at] === byte);
}

/** Unpacks one file. Each has an instance of the decoder, whose memory is freed with it. */
class Unpacking {
  private readonly context: number;
  private readonly bufferSize: number;
  /** The last two bytes so far. The decoder does not say that a file has ended, since another one may follow. */
  private last = 0;

  constructor(private readonly exports: Decoder) {
    this.context = exports.create_context();
    this.bufferSize = this.words[Word.BufferSize];
  }

  /** Its memory may have grown, which gives it another buffer. */
  private get words(): Uint32Array {
    return new Uint32Array(this.exports.memory.buffer, this.context, 7);
  }

  /** @throws Error if the file is damaged. */
  *push(bytes: Uint8Array): Iterable<Uint8Array<ArrayBuffer>> {
    for (let at = 0; at < bytes.length; at += this.bufferSize) {
      yield* this.unpack(bytes.subarray(at, at + this.bufferSize));
    }
    for (const byte of bytes.subarray(-2)) {
      this.last = ((this.last << 8) | byte) & 0xffff;
    }
  }

  /** @throws Error if the file has not come to its end. */
  end(): void {
    if (this.last !== FOOTER) {
      throw new Error('it is incomplete');
    }
  }

  private *unpack(part: Uint8Array): Iterable<Uint8Array<ArrayBuffer>> {
    const { exports, context } = this;
    new Uint8Array(exports.memory.buffer).set(part, this.words[Word.Input]);
    exports.supply_input(context, part.length);
    for (let isFull = false, position = 0; position < part.length || isFull; ) {
      const answer = exports.get_next_output(context);
      if (answer !== OK && answer !== END) {
        throw new Error('it is not a complete xz file');
      }
      const { words } = this;
      const length = words[Word.OutputPosition];
      if (length) {
        const start = words[Word.Output];
        yield new Uint8Array(exports.memory.buffer).slice(start, start + length);
        words[Word.OutputPosition] = 0;
      }
      position = words[Word.InputPosition];
      isFull = length === this.bufferSize;
    }
  }
}

/** Returns a stream that unpacks. It fails if the file is damaged; the checksum in the file is checked. */
export const unxz = unpackingStreams(packed, {}, (decoder: Decoder) => new Unpacking(decoder));
