/**
 * Answers to questions about files. Each question is asked once, until its answer is forgotten.
 */
interface Entry<T> {
  value: Promise<T>;
  stale: boolean;
}

export class AnswerCache<T> {
  private readonly entries = new Map<string, Entry<T>>();

  /** @param ask - called again for a key whose answer was rejected. */
  constructor(private readonly ask: (key: string) => Promise<T>) {}

  /** Returns the answer for `key`. If it is forgotten before it arrives, the question is asked again. */
  async get(key: string): Promise<T> {
    for (;;) {
      let entry = this.entries.get(key);
      if (!entry) {
        entry = { value: this.ask(key), stale: false };
        this.entries.set(key, entry);
        const made = entry;
        made.value.catch(() => this.entries.get(key) === made && this.entries.delete(key));
      }
      try {
        const value = await entry.value;
        if (!entry.stale) {
          return value;
        }
      } catch (error) {
        if (!entry.stale) {
          throw error;
        }
      }
    }
  }

  /** Forgets an answer. @returns whether there was one. */
  forget(matches: (key: string) => boolean): boolean {
    let any = false;
    for (const [key, entry] of this.entries) {
      if (matches(key)) {
        entry.stale = true;
        this.entries.delete(key);
        any = true;
      }
    }
    return any;
  }
}
