/*! The decoder of Zstandard: Copyright (c) 2016-present, Yann Collet, Facebook, Inc. (BSD-3-Clause). Compiled by zstddec: Copyright (c) 2020 Don McCurdy (MIT). */
/**
 * Unpacks Zstandard while it arrives. Browsers unpack only gzip, which is a quarter larger.
 *
 * The decoder is Zstandard's own, compiled to WebAssembly by the npm package zstddec. Only its exports are used here.
 */
import { gunzipSync } from 'fflate';
import packed from 'zstd-decoder.wasm';

import { fromBase64 } from './base64';
import { concat } from './bytes';
import { unpackingStreams } from './unpacking_streams';

/** The decoder's exports. Pointers and sizes are those of its memory. */
interface Decoder {
  memory: WebAssembly.Memory;
  malloc(size: number): number;
  ZSTD_createDCtx(): number;
  ZSTD_DStreamInSize(): number;
  ZSTD_DStreamOutSize(): number;
  /** Returns how many bytes it would like to have next, 0 at the end of a frame, or the negative of an error's number. */
  ZSTD_decompressStream(context: number, output: number, input: number): number;
}

/** Errors are the last numbers of 32 bits (`ZSTD_error_maxCode`). */
const FIRST_ERROR = 0x1_0000_0000 - 120;

/** The decoder for files that are unpacked while Python waits. */
let compiledNow: WebAssembly.Module | undefined;

export function isZstd(bytes: Uint8Array): boolean {
  return bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd;
}

/** Unpacks one file. Each has an instance of the decoder, whose memory is freed with it. */
class Unpacking {
  private readonly context: number;
  private readonly input: number;
  private readonly inputSize: number;
  private readonly output: number;
  private readonly outputSize: number;
  /** `ZSTD_inBuffer` and `ZSTD_outBuffer`: pointer, size, position. */
  private readonly buffers: number;
  private isWhole = false;

  constructor(private readonly decoder: Decoder) {
    this.inputSize = decoder.ZSTD_DStreamInSize();
    this.outputSize = decoder.ZSTD_DStreamOutSize();
    this.context = decoder.ZSTD_createDCtx();
    this.input = decoder.malloc(this.inputSize);
    this.output = decoder.malloc(this.outputSize);
    this.buffers = decoder.malloc(24);
  }

  /** @throws Error if the file is damaged. */
  *push(bytes: Uint8Array): Iterable<Uint8Array<ArrayBuffer>> {
    for (let at = 0; at < bytes.length; at += this.inputSize) {
      yield* this.unpack(bytes.subarray(at, at + this.inputSize));
    }
  }

  /** @throws Error if the file has not come to its end. */
  end(): void {
    if (!this.isWhole) {
      throw new Error('it is incomplete');
    }
  }

  private *unpack(part: Uint8Array): Iterable<Uint8Array<ArrayBuffer>> {
    const { decoder, buffers } = this;
    new Uint8Array(decoder.memory.buffer).set(part, this.input);
    let consumed = 0;
    for (let isFull = false; consumed < part.length || isFull; ) {
      // Its memory may have grown, which gives it another buffer.
      const fields = new Uint32Array(decoder.memory.buffer, buffers, 6);
      fields.set([this.input, part.length, consumed, this.output, this.outputSize, 0]);
      const answer = decoder.ZSTD_decompressStream(this.context, buffers + 12, buffers) >>> 0;
      if (answer >= FIRST_ERROR) {
        throw new Error('it is not a complete zstd file');
      }
      this.isWhole = answer === 0;
      const [, , position, , , length] = new Uint32Array(decoder.memory.buffer, buffers, 6);
      consumed = position;
      isFull = length === this.outputSize;
      if (length) {
        yield new Uint8Array(decoder.memory.buffer).slice(this.output, this.output + length);
      }
    }
  }
}

const IMPORTS = { env: { emscripten_notify_memory_growth: (): void => undefined } };

/** Unpacks a whole file while Python waits. @throws Error if it is damaged; the checksum in the file is checked. */
export function unzstdNow(bytes: Uint8Array): Uint8Array {
  compiledNow ??= new WebAssembly.Module(gunzipSync(fromBase64(packed)) as BufferSource);
  const { exports } = new WebAssembly.Instance(compiledNow, IMPORTS);
  const unpacking = new Unpacking(exports as unknown as Decoder);
  const whole = concat([...unpacking.push(bytes)]);
  unpacking.end();
  return whole;
}

/** Returns a stream that unpacks. It fails if the file is damaged; the checksum in the file is checked. */
export const unzstd = unpackingStreams(packed, IMPORTS, (decoder: Decoder) => new Unpacking(decoder));
