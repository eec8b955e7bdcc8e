/**
 * Makes a kernel for the page: finds the site's Python, the drive and the service worker.
 */
import { Notification } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';
import type { IKernel } from '@jupyterlite/services';

import { importAsset } from '../runtime/assets';
import type { KernelClient, KernelClientOptions } from '../runtime/kernel_client';
import { Drive } from './drive';
import { BrowsergradKernel } from './kernel';
import { ProgressNotification } from './progress';

/** The site's settings, of `litePluginSettings` in jupyter-lite.json. */
export interface KernelSettings {
  /** Folder of another Pyodide distribution, relative to the site's root. */
  pyodideIndexURL?: string;
  /** Indexes `%pip` asks first. */
  pipliteUrls?: string[];
  /** Default true: nothing comes from outside the site. */
  disablePyPIFallback?: boolean;
}

interface RuntimeModule {
  KernelClient: new (options: KernelClientOptions) => KernelClient;
}

/** Ms to wait for the service worker to take control of a fresh page. */
const SERVICE_WORKER_MS = 3000;

async function hasServiceWorker(): Promise<boolean> {
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!container) {
    return false; // private windows and insecure origins have none
  }
  if (!container.controller) {
    await new Promise<void>(resolve => {
      container.addEventListener('controllerchange', () => resolve(), { once: true });
      setTimeout(resolve, SERVICE_WORKER_MS);
    });
  }
  return container.controller !== null;
}

export async function createKernel(
  options: IKernel.IOptions,
  contents: Contents.IManager,
  settings: KernelSettings,
  staticURL: string,
): Promise<BrowsergradKernel> {
  const base = PageConfig.getBaseUrl();
  const absolute = (url: string): string => new URL(url, base).href;
  const [driveName, folder] = options.location.includes(':')
    ? [options.location.split(':')[0], options.location.slice(options.location.indexOf(':') + 1)]
    : ['', options.location];
  const progress = new ProgressNotification();
  return new BrowsergradKernel({
    ...options,
    createClient: async callbacks => {
      const runtime = (await importAsset(`${staticURL}runtime/index.js`)) as RuntimeModule;
      const serviceWorker = crossOriginIsolated ? false : await hasServiceWorker();
      return new runtime.KernelClient({
        ...callbacks,
        pyodideIndexURL: settings.pyodideIndexURL
          ? absolute(settings.pyodideIndexURL)
          : `${staticURL}pyodide/`,
        kernelURL: `${staticURL}kernel/`,
        workerURL: `${staticURL}runtime/worker.js`,
        sessionId: options.id,
        cwd: folder,
        piplite: {
          urls: (settings.pipliteUrls ?? []).map(absolute),
          disablePyPI: settings.disablePyPIFallback ?? true,
        },
        drive:
          crossOriginIsolated || serviceWorker ? new Drive(contents, driveName) : undefined,
        baseUrl: absolute(URLExt.join(base, '/')),
        serviceWorker,
      });
    },
    onProgress: update => progress.boot(update),
    onPackageProgress: update => progress.package(update),
    onLog: (level, text) => console[level === 'warning' ? 'warn' : level](`[browsergrad] ${text}`),
    onBootFailed: message => progress.fail(message.replaceAll(base, '')),
    onRestarted: reason =>
      Notification.warning(
        `Python stopped and was restarted; variables are lost. Cause: ${reason}`,
        { autoClose: false },
      ),
    onCannotInterrupt: () =>
      Notification.warning(
        'This page has no way to stop running Python. To end the cell, restart the kernel; variables are then lost.',
        { autoClose: false },
      ),
  });
}
