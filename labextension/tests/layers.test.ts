import { readdirSync, readFileSync } from 'node:fs';
import { join, normalize, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const SOURCES = join(__dirname, '..', 'src');
/** The modules that files of each folder may import, beside those of the folder itself. */
const LAYERS: Record<string, string[]> = {
  runtime: [],
  server: ['kernel', 'runtime'],
  kernel: ['runtime', 'notice', 'notebook_metadata', 'download', 'status_item'],
  renderers: ['runtime', 'go_to_cell'],
  results: ['runtime', 'renderers', 'go_to_cell', 'download', 'lab_commands', 'shell_sides'],
  labs: [
    ...['runtime', 'kernel', 'renderers', 'results', 'notice', 'notebook_metadata', 'download', 'lab_commands'],
    'shell_sides',
  ],
  work: [
    'runtime',
    'labs',
    'renderers',
    'results',
    'notice',
    'download',
    'go_to_cell',
    'lab_commands',
    'shell_sides',
    'said',
    'status_item',
  ],
  transfers: ['runtime', 'notice', 'download'],
  offline: ['runtime', 'results', 'lab_commands', 'said', 'status_item'],
};

function sourcesIn(folder: string): string[] {
  return readdirSync(join(SOURCES, folder), { recursive: true, encoding: 'utf-8' }).filter(name =>
    /\.tsx?$/.test(name),
  );
}

/** The folders, or files in no folder, that a file imports. */
function imported(file: string): string[] {
  const text = readFileSync(join(SOURCES, file), 'utf-8');
  const paths = [...text.matchAll(/(?:from |import\()'(\.\.?\/[^']+)'/g)].map(([, path]) =>
    normalize(join(file, '..', path)),
  );
  return [...new Set(paths.map(path => path.split(sep)[0]))];
}

describe('layers', () => {
  it.each(Object.keys(LAYERS))('files in %s import only from layers below', folder => {
    const allowed = new Set([folder, ...LAYERS[folder]]);
    const wrong = sourcesIn(folder).flatMap(name =>
      imported(join(folder, name))
        .filter(target => !allowed.has(target))
        .map(target => `${folder}/${name} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('covers every folder', () => {
    const folders = readdirSync(SOURCES, { withFileTypes: true }).filter(entry => entry.isDirectory());
    expect(folders.map(({ name }) => name).sort()).toEqual(Object.keys(LAYERS).sort());
  });

  it('the worker is imported by nothing but its own files', () => {
    const wrong = sourcesIn('runtime').filter(
      name =>
        !name.startsWith(`worker${sep}`) &&
        /from '\.\/worker\//.test(readFileSync(join(SOURCES, 'runtime', name), 'utf-8')),
    );
    expect(wrong).toEqual([]);
  });
});
