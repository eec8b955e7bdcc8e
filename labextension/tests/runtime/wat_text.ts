import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { assemble } from '../../scripts/wat.mjs';

/** Assembles a module that is written in a test. */
export async function assembledText(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const folder = mkdtempSync(join(tmpdir(), 'wat-'));
  const path = join(folder, 'module.wat');
  writeFileSync(path, text);
  const bytes = new Uint8Array(await assemble(path));
  rmSync(folder, { recursive: true });
  return bytes;
}
