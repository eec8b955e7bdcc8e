import { afterEach, beforeEach, expect, it, vi } from 'vitest';

/** The notifications on JupyterLab's screen, and the calls that made them. */
const screen = vi.hoisted(() => ({
  text: null as string | null,
  deaf: 0,
  dismissed: [] as string[],
  update: (message: string): void => {
    if (screen.text !== null && screen.deaf-- <= 0) {
      screen.text = message;
    }
  },
  dismiss: (): void => undefined,
}));

vi.mock('@jupyterlab/apputils', () => ({
  Notification: {
    emit: () => 'the notice',
    update: ({ message }: { message: string }) => screen.update(message),
    dismiss: (id: string) => {
      screen.dismissed.push(id);
      screen.dismiss();
    },
  },
}));

const { Notice } = await import('../src/notice');

beforeEach(() => {
  vi.useFakeTimers();
  Object.assign(screen, { text: null, deaf: 0, dismissed: [] });
  vi.stubGlobal('document', { getElementById: () => (screen.text === null ? null : { textContent: screen.text }) });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('says the last message, however many updates are lost', async () => {
  const notice = new Notice('begun');
  notice.update('half');
  await vi.advanceTimersByTimeAsync(5000);
  screen.text = 'begun';
  screen.deaf = 3;
  await vi.advanceTimersByTimeAsync(5000);
  expect(screen.text).toBe('half');
  notice.succeed('done');
  expect(screen.text).toBe('done');
});

it('goes once it has been shown', async () => {
  const notice = new Notice('begun');
  notice.dismiss();
  await vi.advanceTimersByTimeAsync(1000);
  expect(screen.dismissed).toEqual([]);
  screen.text = 'begun';
  await vi.advanceTimersByTimeAsync(1000);
  expect(screen.dismissed).toEqual(['the notice']);
});

it('goes where notifications are switched off, too', async () => {
  new Notice('begun').dismiss();
  await vi.advanceTimersByTimeAsync(31_000);
  expect(screen.dismissed).toEqual(['the notice']);
});

it('is left alone when its user has closed it', async () => {
  const notice = new Notice('begun');
  screen.text = 'begun';
  screen.deaf = 5;
  notice.update('half');
  await vi.advanceTimersByTimeAsync(200);
  screen.text = null;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(screen.text).toBeNull();
});

it('is not brought back by an update that was on its way', async () => {
  const later = [1, 1, 100];
  const apply = (message: string | null, [ms, ...rest]: number[]): void => {
    setTimeout(() => {
      if (rest.length) {
        apply(message, rest);
      } else {
        screen.text = message;
      }
    }, ms);
  };
  screen.update = message => apply(message, later);
  screen.dismiss = () => apply(null, [0]);
  screen.text = 'begun';
  const notice = new Notice('begun');
  notice.update('half');
  notice.dismiss();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(screen.text).toBeNull();
});
