/**
 * Updates in JupyterLab on a server: from a folder in which the teacher keeps the newest labs, such as one that all students can read.
 *
 * A lab of the student is looked for there by the name of its folder, then by its id.
 */
import type * as nbformat from '@jupyterlab/nbformat';
import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';

import { besideFile, type LabGate } from '../labs/gate';
import { toBase64 } from '../runtime/base64';
import { areSameBytes } from '../runtime/bytes';
import { isNewerVersion, type LabManifest } from '../runtime/manifest';
import type { Bases } from './bases';
import { filesOfLab, readPublished, type LabUpdate, type Updates } from './lab_updates';
import { makeFolder } from './places';
import { updateNotebook, type UpdateResult, type UpdateTexts } from './update';

type Read = (path: string) => Promise<Uint8Array | null>;

/** A lab in the teacher's folder. */
interface Published {
  folder: string;
  manifest: LabManifest;
  notebook: nbformat.INotebookContent;
}

export class ServerUpdates implements Updates {
  /** Path of the folder with the newest labs; empty if there is none. */
  labsFolder = '';
  /** What an update has replaced: content of each path, for an undo. */
  private readonly replaced = new WeakMap<LabUpdate, Map<string, Uint8Array>>();

  constructor(
    private readonly bases: () => Promise<Bases | null>,
    private readonly read: Read,
    private readonly gate: Pick<LabGate, 'check'>,
    private readonly contents: Contents.IManager,
  ) {}

  async find(path: string): Promise<LabUpdate | null> {
    const verdict = this.labsFolder ? await this.gate.check(path) : null;
    if (verdict?.kind !== 'lab') {
      return null;
    }
    const { path: manifestPath, manifest: mine } = verdict.lab;
    const known = await (await this.bases())?.of(path);
    const base = known?.lab === mine.id && known.version === mine.version ? known : null;
    const found = await this.published(manifestPath, base?.shipped ?? path, mine.id).catch(() => null);
    if (!found) {
      return null;
    }
    const { manifest, notebook } = found;
    if (!isNewerVersion(manifest.version, mine.version)) {
      if (!base && manifest.version === mine.version) {
        await this.remember(path, mine, path, notebook);
      }
      return null;
    }
    const unknown = { lab: mine.id, version: mine.version, shipped: path, notebook: null };
    return { path, manifestPath, manifest, base: base ?? unknown, notebook };
  }

  merge({ base, notebook }: LabUpdate, mine: nbformat.INotebookContent, texts: UpdateTexts): UpdateResult {
    return updateNotebook(base.notebook, mine, notebook, texts);
  }

  /** Copies the lab's files. What the student had in place of a dataset or the starter is kept under another name. */
  async done(update: LabUpdate): Promise<string[]> {
    const { path, manifestPath, manifest, base, notebook } = update;
    const found = await this.published(manifestPath, base.shipped, manifest.id);
    const replaced = new Map<string, Uint8Array>();
    this.replaced.set(update, replaced);
    const copies: string[] = [];
    const names = filesOfLab(manifest).filter(name => ![path, base.shipped].includes(besideFile(manifestPath, name)));
    // The manifest comes last: if something fails before, the update is offered again.
    for (const name of found ? [...names, PathExt.basename(manifestPath)] : []) {
      const place = besideFile(manifestPath, name);
      const [now, before] = await Promise.all([this.read(PathExt.join(found!.folder, name)), this.read(place)]);
      if (!now || (before && areSameBytes(now, before))) {
        continue;
      }
      if (before) {
        replaced.set(place, before);
        if (place !== manifestPath && name !== manifest.rubric_path) {
          const copy = place.replace(/(\.[^./]*)?$/, end => `-before-${manifest.version}${end}`);
          await this.write(copy, before);
          copies.push(copy);
        }
      }
      await this.write(place, now);
    }
    await this.remember(path, manifest, base.shipped, notebook);
    return copies;
  }

  async undone(update: LabUpdate): Promise<void> {
    for (const [path, data] of this.replaced.get(update) ?? []) {
      await this.write(path, data);
    }
    const { path, base } = update;
    await (await this.bases())?.remember(path, base);
  }

  private async remember(
    path: string,
    { id: lab, version }: LabManifest,
    shipped: string,
    notebook: nbformat.INotebookContent,
  ): Promise<void> {
    await (await this.bases())?.remember(path, { lab, version, shipped, notebook });
  }

  private async published(manifestPath: string, path: string, id: string): Promise<Published | null> {
    const own = PathExt.dirname(manifestPath);
    const name = own ? path.slice(own.length + 1) : path;
    for (const folder of new Set([PathExt.basename(own), id].filter(Boolean))) {
      const place = PathExt.join(this.labsFolder, folder);
      const [manifest, notebook] = await Promise.all([
        this.read(PathExt.join(place, PathExt.basename(manifestPath))),
        this.read(PathExt.join(place, name)),
      ]);
      const found = place === own ? null : readPublished(manifest, notebook);
      if (found && found[0].id === id) {
        return { folder: place, manifest: found[0], notebook: found[1] };
      }
    }
    return null;
  }

  private async write(path: string, data: Uint8Array): Promise<void> {
    await makeFolder(this.contents, PathExt.dirname(path));
    await this.contents.save(path, { type: 'file', format: 'base64', content: toBase64(data) });
  }
}
