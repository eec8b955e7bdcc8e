/** Turns of the event loop, for which suspended calls of Python wait. */

/**
 * Counts the calls that wait. While one call is suspended, another may run and wait for a turn too, on a stack of its own. A
 * turn ends when its call goes on.
 */
export class Turns {
  private readonly channel = new MessageChannel();
  /** Ends the waits whose message has been posted, in this order. */
  private readonly posted: (() => void)[] = [];
  /** Post the message of waits whose time is not over. */
  private readonly patient = new Set<() => void>();
  /** Turns that have begun and not ended. */
  private open = 0;

  constructor() {
    this.channel.port1.onmessage = () => this.posted.shift()?.();
  }

  /** Whether a turn has begun that has not ended. */
  get any(): boolean {
    return this.open > 0;
  }

  /** Waits `ms` at most, and then for one turn of the event loop. `end` must follow. */
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

  /** Ends the waiting of all calls, but for the turn itself. */
  hasten(): void {
    this.patient.forEach(post => post());
  }

  /** The call that waited goes on. @returns whether no other call waits. */
  end(): boolean {
    this.open = Math.max(0, this.open - 1);
    return this.open === 0;
  }
}
