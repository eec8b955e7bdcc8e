/** Text and bytes that Python and C code write, as they are posted. */
import { describe, expect, it } from 'vitest';

import type { FromWorker, StreamChunk } from '../../src/runtime/protocol';
import { OutputBuffer } from '../../src/runtime/worker/output';

function make(): { output: OutputBuffer; posted: () => [string, string, string][] } {
  const messages: FromWorker[] = [];
  const output = new OutputBuffer(
    message => void messages.push(message),
    () => new Int32Array(64),
    false,
  );
  const posted = (): [string, string, string][] => {
    const chunks: StreamChunk[] = messages.flatMap(message => (message.type === 'streams' ? message.chunks : []));
    const joined: [string, string, string][] = [];
    for (const { name, text, parent } of chunks) {
      const last = joined.at(-1);
      if (last?.[0] === name && last[2] === parent) {
        last[1] += text;
      } else {
        joined.push([name, text, parent]);
      }
    }
    return joined;
  };
  return { output, posted };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('bytes of descriptors', () => {
  it('become text, in whatever pieces they come', () => {
    const { output, posted } = make();
    bytes('aé€😀').forEach(byte => output.writeBytes('stdout', new Uint8Array([byte])));
    output.endRequest();
    expect(posted()).toEqual([['stdout', 'aé€😀', '{}']]);
  });

  it('keep their place among texts and the other stream', () => {
    const { output, posted } = make();
    output.write('stdout', 'a');
    output.writeBytes('stderr', bytes('b'));
    output.writeBytes('stdout', bytes('c'));
    output.write('stdout', 'd');
    output.endRequest();
    expect(posted().map(([name, text]) => [name, text])).toEqual([
      ['stdout', 'a'],
      ['stderr', 'b'],
      ['stdout', 'cd'],
    ]);
  });

  it('that begin a character are shown before what follows, and at the end of a request', () => {
    const { output, posted } = make();
    output.writeBytes('stdout', new Uint8Array([0xe2, 0x82]));
    output.write('stdout', 'x');
    output.writeBytes('stderr', new Uint8Array([0xc3]));
    output.endRequest();
    output.endRequest();
    expect(posted().map(([name, text]) => [name, text])).toEqual([
      ['stdout', '\ufffdx'],
      ['stderr', '\ufffd'],
    ]);
  });

  it('belong to the newest request, also while another one’s task writes', () => {
    const { output, posted } = make();
    output.setParent('"one"', true);
    output.setParent('"two"', true);
    output.setParent('"one"');
    output.write('stdout', 'late');
    output.writeBytes('stdout', bytes('now'));
    output.endRequest();
    expect(posted()).toEqual([
      ['stdout', 'late', '"one"'],
      ['stdout', 'now', '"two"'],
    ]);
  });
});
