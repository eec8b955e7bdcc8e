/**
 * Turns of the event loop, for which suspended calls of Python wait.
 */

/**
 * Each suspended call has a stack of its own. While one waits for its turn, another may run and ask for a turn too. So several
 * turns can be open, and each ends when its call continues.
 */
export class Turns {
  private readonly channel = new MessageChannel();
  /** Those who wait for a posted message, in the order of the messages. */
  private readonly posted: (() => void)[] = [];
  /** Those who first give the event loop more time. */
  private readonly patient = new Set<() => void>();
  private open = 0;

  constructor() {
    this.channel.port1.onmessage = () => this.posted.shift()?.();
  }

  /** Whether a turn is open. */
  get any(): boolean {
    return this.open > 0;
  }

  /** Settles once the event loop has turned, after `ms` at most. `end` must follow. */
  begin(ms: number): Promise<void> {
    this.open++;
    return new Promise(resolve => {
      const post = (): void => {
        clearTimeout(timer);
        this.patient.delete(post);
        this.posted.push(resolve);
        this.channel.port2.postMessage(0);
      };
      const timer = ms ? setTimeout(post, ms) : undefined;
      if (ms) {
        this.patient.add(post);
      } else {
        post();
      }
    });
  }

  /** Ends the waits early: the event loop only handles what has arrived. */
  hasten(): void {
    this.patient.forEach(post => post());
  }

  /** The call that waited continues. @returns whether no other call waits. */
  end(): boolean {
    this.open = Math.max(0, this.open - 1);
    return this.open === 0;
  }
}
