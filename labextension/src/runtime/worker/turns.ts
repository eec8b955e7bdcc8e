/**
 * Lets suspended calls from Python wait for a turn of the event loop.
 */

/**
 * Each suspended call has a stack of its own. While one waits for its turn, another may run and ask for a turn too. So several
 * turns can be open, and each ends when its call continues.
 */
export class Turns {
  private readonly channel = new MessageChannel();
  /** Functions that end a wait, one for each posted message, in the order of the messages. */
  private readonly posted: (() => void)[] = [];
  /** Functions that post the message of a wait which first gives the event loop more time. */
  private readonly patient = new Set<() => void>();
  /** Number of open turns. */
  private open = 0;

  constructor() {
    this.channel.port1.onmessage = () => this.posted.shift()?.();
  }

  /** Whether a turn is open. */
  get any(): boolean {
    return this.open > 0;
  }

  /** Returns a promise that settles once the event loop has turned, which begins after `ms` at the latest. Call `end` afterwards. */
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

  /** Ends the waits early: the event loop still handles the messages that have arrived. */
  hasten(): void {
    this.patient.forEach(post => post());
  }

  /** Ends a turn, since the call that has waited for it continues. @returns whether no other turn is open. */
  end(): boolean {
    this.open = Math.max(0, this.open - 1);
    return this.open === 0;
  }
}
