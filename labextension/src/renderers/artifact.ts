/**
 * Shows artifacts: log entries, images, and JSON. JSON with series of numbers gets a plot too.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Artifact, ArtifactImage, ArtifactJson, ArtifactLog } from '../runtime/events';
import { button, element, userText, visible } from './dom';
import { readSeries } from './series';
import { treeView } from './tree';

/** @param onDispose - registers a function to call when the output is removed. */
export function artifactView(
  artifact: Artifact,
  trans: TranslationBundle,
  onDispose: (dispose: () => void) => void,
): HTMLElement {
  switch (artifact.kind) {
    case 'log':
      return logView(artifact, trans);
    case 'image':
      return imageView(artifact, trans);
    case 'json':
      return jsonView(artifact, trans, onDispose);
  }
}

function logView(artifact: ArtifactLog, trans: TranslationBundle): HTMLElement {
  const { level = 'info', name, data } = artifact;
  const words = { info: trans.__('Info'), warn: trans.__('Warning'), error: trans.__('Error') };
  const kind = element('span', 'bg-kind', words[level]);
  const head = element('p', 'bg-counts', kind, ' · ', element('strong', '', userText(name, 1000)));
  const box = element('section', `bg-log bg-log-${level}`, head);
  box.setAttribute('aria-label', `${words[level]}: ${visible(name, 200)}`);
  if (typeof data === 'object' && data !== null) {
    box.append(treeView(data, visible(name, 200), trans));
  } else {
    const text = element('pre', '', userText(String(data)));
    text.tabIndex = 0;
    box.append(text);
  }
  return box;
}

function imageView(artifact: ArtifactImage, trans: TranslationBundle): HTMLElement {
  const image = element('img', 'bg-image');
  image.alt = visible(artifact.name, 1000);
  image.src = `data:${artifact.mime};base64,${artifact.dataBase64}`;
  const figure = element('figure', 'bg-figure');
  const caption = element('figcaption', '', userText(artifact.name, 1000));
  const frame = element('div', 'bg-scroll bg-frame', image);
  frame.tabIndex = 0;
  frame.setAttribute('role', 'group');
  frame.setAttribute('aria-label', visible(artifact.name, 200));
  let scale = 0; // 0 fits the image to the width
  const zoom = (to: number): void => {
    scale = Math.min(16, Math.max(0.125, to));
    image.style.maxWidth = 'none';
    image.style.width = `${Math.max(1, Math.round((image.naturalWidth || 300) * scale))}px`;
  };
  const current = (): number => scale || image.clientWidth / (image.naturalWidth || 300) || 1;
  const zoomIn = (): void => zoom(current() * 2);
  const zoomOut = (): void => zoom(current() / 2);
  const fit = (): void => {
    scale = 0;
    image.style.removeProperty('max-width');
    image.style.removeProperty('width');
  };
  const buttons = element(
    'div',
    'bg-zoom',
    button(trans.__('Zoom in'), zoomIn),
    button(trans.__('Zoom out'), zoomOut),
    button(trans.__('Fit'), fit),
  );
  const keys: Record<string, () => void> = { '+': zoomIn, '-': zoomOut, Escape: fit };
  figure.addEventListener('keydown', event => {
    // The notebook uses Escape too, so Escape is handled here only while the image is zoomed.
    if (Object.hasOwn(keys, event.key) && (event.key !== 'Escape' || scale)) {
      keys[event.key]();
      event.preventDefault();
      event.stopPropagation();
    }
  });
  image.addEventListener('error', () =>
    frame.replaceChildren(element('p', 'bg-message', trans.__('The browser cannot read this image.'))),
  );
  figure.append(frame, caption, buttons);
  return figure;
}

function jsonView(
  artifact: ArtifactJson,
  trans: TranslationBundle,
  onDispose: (dispose: () => void) => void,
): HTMLElement {
  const name = visible(artifact.name, 200);
  const box = element(
    'section',
    'bg-artifact',
    element('p', 'bg-counts', element('strong', '', userText(artifact.name, 1000))),
  );
  box.setAttribute('aria-label', name);
  const beside = element('div', 'bg-beside', treeView(artifact.data, name, trans));
  box.append(beside);
  const series = readSeries(artifact.data);
  if (series) {
    const chart = element('div', 'bg-plot');
    chart.setAttribute('role', 'group');
    chart.setAttribute('aria-label', trans.__('Plot of %1; the tree holds the same numbers', name));
    beside.append(chart);
    let gone = false;
    onDispose(() => (gone = true));
    import('./plot').then(
      ({ plot }) => {
        if (!gone) {
          // The output may not be in the page yet, so this waits until it has a width.
          const observer = new ResizeObserver(() => {
            if (chart.clientWidth > 0) {
              observer.disconnect();
              const { destroy } = plot(chart, series);
              onDispose(destroy);
            }
          });
          observer.observe(chart);
          onDispose(() => observer.disconnect());
        }
      },
      error => chart.append(trans.__('The plot could not be loaded: %1', String(error))),
    );
  }
  return box;
}
