import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const { download, showErrorMessage } = vi.hoisted(() => ({ download: vi.fn(), showErrorMessage: vi.fn() }));
vi.mock('../../src/download', () => ({ download }));
vi.mock('@jupyterlab/apputils', () => ({ showErrorMessage }));
vi.mock('@jupyterlab/ui-components', () => ({ downloadIcon: { bindprops: () => undefined } }));

import { DownloadCommands } from '../../src/transfers/download_commands';

const FILES: Record<string, object> = {
  'lab/a.ipynb': { type: 'notebook', format: 'json', mimetype: 'application/json', content: { cells: [] } },
  'lab/a.txt': { type: 'file', format: 'text', mimetype: 'text/plain', content: 'ä' },
  'lab/a.bin': { type: 'file', format: 'base64', mimetype: 'application/octet-stream', content: btoa('bytes') },
};

interface Command {
  label: string;
  isEnabled?: () => boolean;
  execute: () => Promise<void>;
}

/** Does as JupyterLab's registry of commands, which needs a page. */
class Commands {
  readonly all = new Map<string, Command>();
  hasCommand = (id: string): boolean => this.all.has(id);
  addCommand = (id: string, command: Command): void => void this.all.set(id, command);
  execute = (id: string): Promise<void> => this.all.get(id)!.execute();
  isEnabled = (id: string): boolean => this.all.get(id)!.isEnabled!();
}

function parts() {
  const commands = new Commands();
  const said: [string, number][] = [];
  const app = {
    commands,
    shell: { currentWidget: {} as object | null },
    serviceManager: {
      contents: {
        get: async (path: string) => {
          if (!(path in FILES)) {
            throw new Error('gone');
          }
          return FILES[path];
        },
      },
    },
  };
  const downloads = new DownloadCommands(app as never, {
    trans: nullTranslator.load(''),
    onProgress: (path, fraction) => said.push([path, fraction]),
  });
  return { app, commands, downloads, said };
}

const selected = (...items: { type: string; path: string }[]) =>
  ({
    tracker: { currentWidget: { selectedItems: () => items.map(item => ({ ...item, name: item.path.slice(4) })) } },
  }) as never;

describe('the command Download', () => {
  beforeEach(() => {
    download.mockClear();
    showErrorMessage.mockClear();
  });
  afterEach(() => vi.clearAllMocks());

  it('downloads the selected files as they are, and no folders', async () => {
    const { commands, downloads, said } = parts();
    const items = [{ type: 'directory', path: 'lab' }, ...Object.keys(FILES).map(path => ({ type: 'file', path }))];
    downloads.addForFileBrowser(selected(...items));
    await commands.execute('filebrowser:download');
    const texts = await Promise.all(download.mock.calls.map(async ([name, data]) => [name, await data.text()]));
    expect(texts).toEqual([
      ['a.ipynb', '{\n  "cells": []\n}'],
      ['a.txt', 'ä'],
      ['a.bin', 'bytes'],
    ]);
    expect(said.filter(([, fraction]) => fraction === 1).length).toBeGreaterThanOrEqual(3);
  });

  it('says which file cannot be downloaded, and ends its notification', async () => {
    const { commands, downloads, said } = parts();
    downloads.addForFileBrowser(selected({ type: 'file', path: 'lab/b' }));
    await commands.execute('filebrowser:download');
    expect(showErrorMessage).toHaveBeenCalledWith('b cannot be downloaded', new Error('gone'));
    expect(said.at(-1)).toEqual(['lab/b', 1]);
  });

  it('saves an open document before', async () => {
    const { app, commands, downloads } = parts();
    const context = { path: 'lab/a.txt', localPath: 'lab/a.txt', save: vi.fn(async () => undefined) };
    downloads.addForDocuments({ contextForWidget: () => context as never });
    expect(commands.isEnabled('docmanager:download')).toBe(true);
    await commands.execute('docmanager:download');
    expect(context.save).toHaveBeenCalled();
    expect(download.mock.calls[0][0]).toBe('a.txt');
    app.shell.currentWidget = null;
    expect(commands.isEnabled('docmanager:download')).toBe(false);
  });

  it("leaves another plugin's command alone", () => {
    const { commands, downloads } = parts();
    commands.addCommand('filebrowser:download', { label: 'theirs', execute: async () => undefined });
    downloads.addForFileBrowser(selected());
    expect(commands.all.get('filebrowser:download')!.label).toBe('theirs');
  });
});
