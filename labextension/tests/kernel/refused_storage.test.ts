/** Browsers that let a site store nothing. */
import { PageConfig } from '@jupyterlab/coreutils';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { useMemoryIfRefused } from '../../src/kernel/refused_storage';

const OPTIONS = ['enableMemoryStorage', 'contentsStorageDrivers', 'settingsStorageDrivers', 'workspacesStorageDrivers'];

vi.mock('@jupyterlab/apputils', () => ({ Notification: {} }));

beforeEach(() => OPTIONS.forEach(name => PageConfig.setOption(name, '')));
afterEach(() => vi.unstubAllGlobals());

it('leaves storage alone where it works', () => {
  vi.stubGlobal('localStorage', {});
  vi.stubGlobal('indexedDB', {});
  expect(useMemoryIfRefused()).toBe(false);
  expect(OPTIONS.map(name => PageConfig.getOption(name))).toEqual(['', '', '', '']);
});

it('keeps everything in memory where the browser throws', () => {
  vi.stubGlobal('indexedDB', {});
  Object.defineProperty(globalThis, 'localStorage', {
    configurable: true,
    get: () => {
      throw new DOMException('Access is denied for this document.', 'SecurityError');
    },
  });
  expect(useMemoryIfRefused()).toBe(true);
  expect(OPTIONS.map(name => JSON.parse(PageConfig.getOption(name)))).toEqual([
    true,
    ['memoryStorageDriver'],
    ['memoryStorageDriver'],
    ['memoryStorageDriver'],
  ]);
});

it('keeps everything in memory where there is no database', () => {
  vi.stubGlobal('localStorage', {});
  vi.stubGlobal('indexedDB', undefined);
  expect(useMemoryIfRefused()).toBe(true);
});
