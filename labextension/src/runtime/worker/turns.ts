/**
 * Turns of the event loop that suspended calls of Python wait for.
 */

/**
 * Each call that is suspended has a stack of its own, and while one waits for its turn, another may run and ask for one:
 * so there can be several, and each ends when its call has gone on.
 */
export class Turns {
  private readonly channel = new MessageChannel();
  /** Whoever waits for a message that has been posted, in this order. */
  private readonly posted: (() => void)[] = [];
  /** Those that give the loop more time first. */
  private readonly patient = new Set<() => void>();
  private open = 0;

  constructor() {
    this.channel.port1.onmessage = () => this.posted.shift()?.();
  }

  /** Whether one has begun that has not ended. */
  get any(): boolean {
    return this.open > 0;
  }

  /** Settles once the event loop has turned, at most `ms` later; `end` must follow. */
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

  /** Gives the loop no more time than it needs for what has come. */
  hasten(): void {
    this.patient.forEach(post => post());
  }

  /** The call that waited goes on. @returns whether no other waits. */
  end(): boolean {
    this.open = Math.max(0, this.open - 1);
    return this.open === 0;
  }
}
