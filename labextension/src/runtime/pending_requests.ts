/**
 * The requests to one worker that have not been answered yet. An interrupt names the epoch of the request that it is meant for.
 */
import type { BrowsergradError } from './errors';
import type { ToWorker } from './protocol';

interface Pending {
  /** 0 for requests that cannot be interrupted. */
  epoch: number;
  resolve(value: unknown): void;
  reject(error: BrowsergradError): void;
}

export class PendingRequests {
  /** By id, in the order they were sent. */
  private readonly requests = new Map<number, Pending>();
  private nextId = 1;
  private nextEpoch = 1;

  /** Returns an epoch that no other request of this worker has. */
  takeEpoch(): number {
    return this.nextEpoch++;
  }

  /** Epoch of the oldest request that has not been answered; 0 when idle. */
  get oldestEpoch(): number {
    for (const { epoch } of this.requests.values()) {
      if (epoch) {
        return epoch;
      }
    }
    return 0;
  }

  /** Sends a request under a new id, and waits for its answer. */
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
