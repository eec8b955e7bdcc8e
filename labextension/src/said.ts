/**
 * What was said to the user of this browser, so that not each visit says it again.
 */

/** Notes `text` under `key`. @returns what was noted there before; null if nothing was, undefined if the browser stores nothing. */
export function noteSaid(key: string, text: string): string | null | undefined {
  try {
    const before = localStorage.getItem(key);
    localStorage.setItem(key, text);
    return before;
  } catch {
    return undefined;
  }
}

/** Lets it be said again. */
export function forgetSaid(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // Nothing was kept.
  }
}
