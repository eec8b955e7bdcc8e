import type { LabGate } from '../labs/gate';
import type { ArchiveAbout } from './archive';

/** Returns a function that finds the lab of a notebook; null if it belongs to none. */
export function labOfNotebook(gate: Pick<LabGate, 'check'>): (path: string) => Promise<ArchiveAbout['lab']> {
  return async path => {
    const verdict = await gate.check(path);
    if (verdict.kind !== 'lab') {
      return null;
    }
    const { id, version } = verdict.lab.manifest;
    return { id, version };
  };
}
