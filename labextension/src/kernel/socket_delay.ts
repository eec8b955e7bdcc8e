/**
 * Passes requests to the kernel without delay. JupyterLite's replacement for WebSocket delays every message by a timer, which
 * browsers make at least 4 ms long. A short cell takes less.
 */

interface Socket extends EventTarget {
  url: string;
  send(data: unknown): void;
}

interface Way {
  /** Whether the kernel has answered through this socket, so both ends listen. */
  answered: boolean;
  /** Number of messages that wait for a timer. Later ones must not overtake them. */
  slow: number;
}

/**
 * Makes the sockets whose address `isOurs` deliver messages in the next task, in order, once the kernel has answered through
 * them.
 */
export function removeSocketDelay(socketClass: { prototype: Socket }, isOurs: (url: string) => boolean): void {
  const { prototype } = socketClass;
  const { send } = prototype;
  const ways = new WeakMap<Socket, Way>();
  const waiting: (() => void)[] = [];
  const channel = new MessageChannel();
  channel.port1.onmessage = () => waiting.shift()?.();

  const wayOf = (socket: Socket): Way => {
    let way = ways.get(socket);
    if (!way) {
      const made = { answered: false, slow: 0 };
      socket.addEventListener('message', () => (made.answered = true), { once: true });
      way = made;
      ways.set(socket, way);
    }
    return way;
  };

  prototype.send = function (this: Socket, data) {
    if (!isOurs(this.url)) {
      send.call(this, data);
      return;
    }
    const way = wayOf(this);
    const { setTimeout } = globalThis;
    const deliver = (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): unknown => {
      if (way.answered && !way.slow) {
        waiting.push(() => callback(...args));
        channel.port2.postMessage(null);
        return 0;
      }
      way.slow++;
      return setTimeout(() => {
        way.slow--;
        callback(...args);
      }, ms);
    };
    globalThis.setTimeout = deliver as typeof setTimeout;
    try {
      send.call(this, data);
    } finally {
      globalThis.setTimeout = setTimeout;
    }
  };
}
