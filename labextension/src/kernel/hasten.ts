/**
 * Hands requests to the kernel at once. JupyterLite's stand-in for a WebSocket passes every message on by a timer
 * that browsers clamp to 4 ms: longer than a short cell takes.
 */

type Socket = Pick<WebSocket, 'url' | 'send'>;

/** Lets the sockets whose address `isOurs` deliver in the next task, in the order they were given. */
export function hastenSockets(socketClass: { prototype: Socket }, isOurs: (url: string) => boolean): void {
  const { prototype } = socketClass;
  const { send } = prototype;
  const waiting: (() => void)[] = [];
  const channel = new MessageChannel();
  channel.port1.onmessage = () => waiting.shift()?.();
  const soon = (callback: (...args: unknown[]) => void, _ms?: number, ...args: unknown[]): number => {
    waiting.push(() => callback(...args));
    channel.port2.postMessage(null);
    return 0;
  };
  prototype.send = function (this: Socket, data) {
    if (!isOurs(this.url)) {
      send.call(this, data);
      return;
    }
    const { setTimeout } = globalThis;
    globalThis.setTimeout = soon as unknown as typeof setTimeout;
    try {
      send.call(this, data);
    } finally {
      globalThis.setTimeout = setTimeout;
    }
  };
}
