/** What Python needs to know to decide on an interrupt. */

/** All values are whole numbers. Python's class `Snapshot` has the same fields, in the same order. */
export interface InterruptSnapshot {
  /** 1 if an interrupt has taken effect in the running request. */
  was_hit: number;
  /** 1 if the interrupt repeats until the request ends. */
  is_storm: number;
  /** 1 if the press is meant for whatever blocks the idle kernel. */
  is_for_idle: number;
  /** 1 if a request runs, and the signal is not meant for it, but for a task that blocks the event loop. */
  is_watch: number;
  /** The limit that the request has passed, in ms; 0 if it has not passed one. */
  limit_ms: number;
  /** Ms since the event loop last turned, rounded up. */
  loop_ms: number;
}

export const SNAPSHOT_FIELDS = ['was_hit', 'is_storm', 'is_for_idle', 'is_watch', 'limit_ms', 'loop_ms'] as const;

/** The snapshot as text, which Python gets with one call. An object would take one more call for each field. */
export function snapshotText(snapshot: InterruptSnapshot): string {
  return SNAPSHOT_FIELDS.map(field => snapshot[field]).join(' ');
}
