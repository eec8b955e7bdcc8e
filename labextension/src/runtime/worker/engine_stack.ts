/**
 * Measures how much of the JavaScript engine's stack is left. Engines do not say: a WebAssembly function whose frames have a
 * known least size (`native/probe.wat`) calls itself until the engine throws.
 */
import probeBytes from './native/probe.wat';

/** Bytes of the engine's stack that one frame of `probe` takes, at least. */
const FRAME = 256;
/** Bytes of free stack at which the probe stops: nothing needs more. */
const ENOUGH = 640 * 1024;

export class EngineStack {
  private readonly probe: { frames: WebAssembly.Global<'i32'>; probe(left: number): bigint };

  constructor() {
    this.probe = new WebAssembly.Instance(new WebAssembly.Module(probeBytes)).exports as unknown as typeof this.probe;
  }

  /** Bytes that are free below the caller, at least; never more than `ENOUGH`. */
  free(): number {
    const { frames, probe } = this.probe;
    const traces = Error as { stackTraceLimit?: number }; // V8's; a trace would cost more than the probe
    const { stackTraceLimit } = traces;
    traces.stackTraceLimit = 0;
    frames.value = 0;
    try {
      probe(ENOUGH / FRAME);
    } catch {
      // The stack has ended: `frames` says after how many calls.
    } finally {
      traces.stackTraceLimit = stackTraceLimit;
    }
    return frames.value * FRAME;
  }
}
