/**
 * Makes a kernel for the page: finds the site's Python, the drive and the service worker.
 */
import { Notification } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';
import type { IKernel } from '@jupyterlite/services';

import { fetchAsset, importAsset } from '../runtime/assets';
import type { KernelClient, KernelClientOptions } from '../runtime/kernel_client';
import { canShare } from '../runtime/sharing';
import type { KernelGate } from './admission';
import { Drive } from './drive';
import { savesData } from './expected_imports';
import { BrowsergradKernel } from './kernel';
import { outputPace } from './output_pace';
import { ProgressNotification } from './progress';
import { mayPrewarm, Spares, type PrewarmChoice } from './spare';

/** The site's settings, from `litePluginSettings` in jupyter-lite.json. */
export interface KernelSettings {
  /** Folder of another Pyodide distribution, relative to the site's root. */
  pyodideIndexURL?: string;
  /** Folder of the packs for that distribution, relative to the site's root; `jupyter lite build` makes it. */
  kernelURL?: string;
  /** Package indexes that `%pip` asks first. */
  pipliteUrls?: string[];
  /** By default true: nothing is loaded from outside the site. */
  disablePyPIFallback?: boolean;
  /**
   * Whether the page fetches and compiles Python before a notebook needs it. By default true, unless the browser saves data.
   */
  prefetch?: boolean;
  /**
   * Whether the packages that an open notebook imports are fetched and compiled before a cell imports them. By default as
   * `prefetch`.
   */
  prefetchPackages?: boolean;
  /** Whether a spare Python is kept for restarts and further notebooks. By default this depends on the device's memory. */
  prewarm?: boolean;
}

/** Settings that can change while the page is open. */
export interface LiveSettings {
  /** Ms that a cell may run, null for no limit. */
  limitMs(): number | null;
  /** The user's setting for `prewarm`. */
  userPrewarm(): PrewarmChoice;
  gate: KernelGate;
}

/** What the application provides to a kernel. */
export interface KernelPage {
  /** Removes the input prompt of a request that has ended from the screen. */
  closePrompts(msgId: string): void;
}

interface RuntimeModule {
  sharedBootAssets(indexURL: string, kernelURL: string): Promise<unknown>;
  KernelClient: new (options: KernelClientOptions) => KernelClient;
}

/** Ms to wait until the service worker controls a new page. */
const SERVICE_WORKER_MS = 3000;
/** Ms between a kernel's boot and the boot of the next spare Python: the first cells have priority. */
const SPARE_DELAY_MS = 1500;

/** Longest time, in ms, that prefetching waits for an idle page. */
const IDLE_MS = 2000;

/** All kernels of the page share their spares, since all start in the same way. */
let spares: Spares | undefined;

/** Settled when the page is controlled by a service worker, or none has come in time. */
let waited: Promise<void> | undefined;

async function hasServiceWorker(): Promise<boolean> {
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!container) {
    return false; // as in private windows and on insecure origins
  }
  if (!container.controller) {
    waited ??= new Promise<void>(resolve => {
      container.addEventListener('controllerchange', () => resolve(), { once: true });
      setTimeout(resolve, SERVICE_WORKER_MS);
    });
    await waited;
  }
  return container.controller !== null;
}

/** Addresses of the site's Python: the folder of Pyodide, and that of the kernel. */
function locations(settings: KernelSettings, staticURL: string): { index: string; kernel: string } {
  const folder = (set: string | undefined, own: string): string =>
    set ? new URL(set, PageConfig.getBaseUrl()).href : `${staticURL}${own}/`;
  return { index: folder(settings.pyodideIndexURL, 'pyodide'), kernel: folder(settings.kernelURL, 'kernel') };
}

/**
 * Fetches and compiles what the first kernel needs, once the page is idle.
 *
 * @returns whether everything has been fetched.
 */
async function prefetch(settings: KernelSettings, staticURL: string): Promise<boolean> {
  if (!(settings.prefetch ?? !savesData())) {
    return false;
  }
  await new Promise(resolve =>
    // Safari has no requestIdleCallback.
    typeof requestIdleCallback === 'function'
      ? requestIdleCallback(resolve, { timeout: IDLE_MS })
      : setTimeout(resolve, IDLE_MS),
  );
  const { index, kernel } = locations(settings, staticURL);
  try {
    const runtime = (await importAsset(`${staticURL}runtime/index.js`)) as RuntimeModule;
    await Promise.all([runtime.sharedBootAssets(index, kernel), fetchAsset(`${staticURL}runtime/worker.js`)]);
    performance.mark('browsergrad:prefetched');
    return true;
  } catch {
    return false; // the first kernel will report the error
  }
}

/** Starts a worker: for a kernel, or as a spare. */
async function createClient(
  own: Pick<KernelClientOptions, 'onMessage'> & Partial<KernelClientOptions>,
  contents: Contents.IManager,
  settings: KernelSettings,
  staticURL: string,
): Promise<KernelClient> {
  const base = PageConfig.getBaseUrl();
  const absolute = (url: string): string => new URL(url, base).href;
  const { index, kernel } = locations(settings, staticURL);
  const runtime = (await importAsset(`${staticURL}runtime/index.js`)) as RuntimeModule;
  const shares = canShare();
  const serviceWorker = !shares && (await hasServiceWorker());
  return new runtime.KernelClient({
    pyodideIndexURL: index,
    kernelURL: kernel,
    workerURL: `${staticURL}runtime/worker.js`,
    sessionId: '',
    piplite: {
      urls: (settings.pipliteUrls ?? []).map(absolute),
      disablePyPI: settings.disablePyPIFallback ?? true,
    },
    baseUrl: absolute(URLExt.join(base, '/')),
    serviceWorker,
    shown: outputPace(),
    ...own,
    drive: shares || serviceWorker ? (own.drive ?? new Drive(contents, '')) : undefined,
  });
}

/** Returns the page's spares. */
function sparesOf(contents: Contents.IManager, settings: KernelSettings, staticURL: string): Spares {
  spares ??= new Spares(onProgress =>
    createClient({ onMessage: () => undefined, onProgress }, contents, settings, staticURL),
  );
  return spares;
}

/** Prepares what the first kernel needs, in a page that has no kernel yet. */
export async function prepare(
  contents: Contents.IManager,
  settings: KernelSettings,
  staticURL: string,
  userPrewarm: LiveSettings['userPrewarm'],
): Promise<void> {
  // The runtime is small, and the first kernel needs it before anything else.
  void importAsset(`${staticURL}runtime/index.js`).catch(() => undefined); // the kernel will report the error
  const isThere = await prefetch(settings, staticURL);
  // If a first kernel has started meanwhile, it prepares a spare itself.
  if (isThere && !spares && mayPrewarm(settings.prewarm, userPrewarm())) {
    await sparesOf(contents, settings, staticURL).prepare();
  }
}

export async function createKernel(
  options: IKernel.IOptions,
  contents: Contents.IManager,
  settings: KernelSettings & LiveSettings & KernelPage,
  staticURL: string,
  restored: Promise<unknown>,
): Promise<BrowsergradKernel> {
  const base = PageConfig.getBaseUrl();
  const [driveName, folder] = options.location.includes(':')
    ? [options.location.split(':')[0], options.location.slice(options.location.indexOf(':') + 1)]
    : ['', options.location];
  const progress = new ProgressNotification(restored);
  const pageSpares = sparesOf(contents, settings, staticURL);
  return new BrowsergradKernel({
    ...options,
    createClient: async callbacks => {
      const own = {
        ...callbacks,
        sessionId: options.id,
        cwd: folder,
        drive: canShare() || (await hasServiceWorker()) ? new Drive(contents, driveName) : undefined,
      };
      return (await pageSpares.take(own)) ?? createClient(own, contents, settings, staticURL);
    },
    onProgress: update => progress.boot(update),
    onPackageProgress: update => progress.package(update),
    onLog: (level, text) => console[level === 'warning' ? 'warn' : level](`[browsergrad] ${text}`),
    onBootFailed: message => progress.fail(message.replaceAll(base, '')),
    onRestarted: reason =>
      Notification.warning(`Python stopped and was restarted; variables are lost. Cause: ${reason}`, {
        autoClose: false,
      }),
    onBooted: () => {
      setTimeout(() => {
        if (mayPrewarm(settings.prewarm, settings.userPrewarm())) {
          void pageSpares.prepare();
        }
      }, SPARE_DELAY_MS);
    },
    onUnresponsive: restart => {
      const id = Notification.warning(
        'The code does not respond to Stop. Restarting ends it at once; variables are then lost.',
        { autoClose: false, actions: [{ label: 'Restart now', displayType: 'warn', callback: restart }] },
      );
      return () => Notification.dismiss(id);
    },
    onPromptAbandoned: settings.closePrompts,
    limitMs: settings.limitMs,
    gate: settings.gate,
  });
}
