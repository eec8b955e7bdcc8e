/** One notification per kernel, gone at the end; failures stay. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const Notification = vi.hoisted(() => ({
  emit: vi.fn(() => 'id'),
  update: vi.fn(() => true),
  dismiss: vi.fn(),
  error: vi.fn(),
}));
vi.mock('@jupyterlab/apputils', () => ({ Notification }));

import { ProgressNotification } from '../../src/kernel/progress';

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('progress', () => {
  it('of a quick boot is not worth a notification', () => {
    const progress = new ProgressNotification();
    progress.boot({ stage: 'runtime', message: 'Starting Python', fraction: 0.1 });
    progress.boot({ stage: 'ready', message: '', fraction: 1 });
    vi.runAllTimers();
    expect(Notification.emit).not.toHaveBeenCalled();
  });

  it('is one notification that is updated and goes', () => {
    const progress = new ProgressNotification();
    progress.boot({ stage: 'runtime', message: 'Starting Python', fraction: 0.1 });
    vi.runAllTimers();
    progress.boot({ stage: 'packages', message: 'Unpacking', fraction: 0.5 });
    progress.package({ package: 'numpy', status: 'loading' });
    progress.package({ package: 'pandas', status: 'loading' });
    progress.package({ package: 'numpy', status: 'loaded' });
    expect(Notification.emit).toHaveBeenCalledOnce();
    expect(Notification.update).toHaveBeenLastCalledWith(
      expect.objectContaining({
        id: 'id',
        message: 'Python (BrowserGrad): Loading pandas (50 %)',
        progress: 0.5,
      }),
    );
    progress.package({ package: 'pandas', status: 'loaded' });
    expect(Notification.dismiss).toHaveBeenCalledExactlyOnceWith('id');
  });

  it('is not shown to who does not want it, but failures are, and stay', () => {
    const progress = new ProgressNotification(() => false);
    progress.package({ package: 'numpy', status: 'loading' });
    vi.runAllTimers();
    progress.package({ package: 'numpy', status: 'failed', message: 'hash differs' });
    expect(Notification.emit).not.toHaveBeenCalled();
    expect(Notification.error).toHaveBeenCalledExactlyOnceWith(
      'The package numpy could not be loaded: hash differs',
      { autoClose: false },
    );
  });

  it('of a worker that died does not count for the next one', () => {
    const progress = new ProgressNotification();
    progress.package({ package: 'numpy', status: 'loading' });
    progress.boot({ stage: 'ready', message: '', fraction: 1 });
    progress.package({ package: 'pandas', status: 'loading' });
    vi.runAllTimers();
    expect(Notification.emit).toHaveBeenCalledExactlyOnceWith(
      'Python (BrowserGrad): Loading pandas (0 %)',
      'in-progress',
      expect.anything(),
    );
  });
});
