/**
 * The requests to one worker that have no answer yet. An interrupt is addressed to a request's epoch.
 */
import type { BrowsergradError } from './errors';
import type { ToWorker } from './protocol';

interface Pending {
  /** What interrupts are addressed to; 0 for requests that can't be interrupted. */
  epoch: number;
  resolve(value: unknown): void;
  reject(error: BrowsergradError): void;
}

export class PendingRequests {
  /** By id, in the order they were sent. */
  private readonly requests = new Map<number, Pending>();
  private nextId = 1;
  private nextEpoch = 1;

  /** An epoch that no other request of this worker has. */
  takeEpoch(): number {
    return this.nextEpoch++;
  }

  /** Epoch of the request that was sent first and has not been answered; 0 when idle. */
  get oldestEpoch(): number {
    for (const { epoch } of this.requests.values()) {
      if (epoch) {
        return epoch;
      }
    }
    return 0;
  }

  /** Sends a request under an id of its own, and waits for its answer. */
  add(make: (id: number) => ToWorker, send: (message: ToWorker) => void): Promise<unknown> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const message = make(id);
      this.requests.set(id, { epoch: 'epoch' in message ? message.epoch : 0, resolve, reject });
      send(message);
    });
  }

  resolve(id: number, value: unknown): void {
    this.requests.get(id)?.resolve(value);
    this.requests.delete(id);
  }

  reject(id: number, error: BrowsergradError): void {
    this.requests.get(id)?.reject(error);
    this.requests.delete(id);
  }

  rejectAll(error: BrowsergradError): void {
    for (const { reject } of this.requests.values()) {
      reject(error);
    }
    this.requests.clear();
  }
}
