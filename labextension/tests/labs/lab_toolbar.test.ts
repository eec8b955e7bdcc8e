// @vitest-environment happy-dom
/** The button and the menu that a lab adds to its notebook's toolbar. */
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Panel, Widget } from '@lumino/widgets';
import { beforeEach, expect, it, vi } from 'vitest';

import { LabToolbar } from '../../src/labs/lab_toolbar';

/** JupyterLab's icons, whose package Node cannot load. */
vi.mock('@jupyterlab/ui-components', () => {
  const icon = (name: string) => ({
    element: () => Object.assign(document.createElement('span'), { className: name }),
  });
  return { checkIcon: icon('check'), downloadIcon: icon('download') };
});
vi.mock('../../src/labs/fit_toolbar', () => ({ arrangeUntilTheyFit: () => ({ dispose: () => undefined }) }));

/** A toolbar with the one method that is used. */
class Bar extends Panel {
  readonly names: string[] = [];
  insertItem(index: number, name: string, item: Widget): void {
    this.names.splice(index, 0, name);
    this.insertWidget(index, item);
  }
}

const trans = nullTranslator.load('');
let bar: Bar;
let toolbar: LabToolbar;
let ran: string[];

function find(selector: string): HTMLElement {
  return bar.node.querySelector<HTMLElement>(selector)!;
}

beforeEach(() => {
  document.body.replaceChildren();
  const commands = new CommandRegistry();
  ran = [];
  for (const id of ['check', 'download', 'reset']) {
    commands.addCommand(id, { label: id, caption: `${id} it`, execute: () => ran.push(id) });
  }
  bar = new Bar();
  Widget.attach(bar, document.body);
  bar.addWidget(new Widget());
  const options = {
    id: 'adding',
    version: '1.0.0',
    check: 'check',
    download: 'download',
    menu: [['download', 'missing'], ['reset']],
  };
  toolbar = new LabToolbar(bar as never, commands, options, trans);
});

it('comes first, so that it is never moved into the menu of what does not fit', () => {
  expect(bar.names).toEqual(['browsergrad-check', 'browsergrad-lab', 'browsergrad-place']);
  expect(find('.bg-LabBadge').textContent).toBe('adding 1.0.0');
  expect(find('.bg-CheckButton').textContent).toBe('Check my work');
  expect(find('[role=status]').textContent).toBe('');
});

it('counts what has passed, and tells it once', () => {
  const counts = { pass: 3, fail: 1, error: 1 };
  toolbar.show({ isChecking: true, counts: null });
  expect(find('[role=status]').textContent).toBe('Checking your work…');
  toolbar.show({ isChecking: false, counts });
  expect(find('.bg-CheckButton').textContent).toBe('Check my work3/5');
  expect(find('.bg-CheckButton').getAttribute('aria-label')).toBe('Check my work, 3 of 5 passed');
  expect(find('[role=status]').textContent).toBe('Your work was checked: 3 passed, 1 failed, 1 error');
  toolbar.show({ isChecking: true, counts });
  toolbar.show({ isChecking: false, counts });
  expect(find('[role=status]').textContent, 'the second check failed').toBe('');
});

it('does nothing while it checks, and keeps the focus', () => {
  const button = find('.bg-CheckButton');
  button.click();
  expect(ran).toEqual(['check']);
  toolbar.show({ isChecking: true, counts: null });
  expect(button.textContent).toBe('Checking…');
  button.click();
  expect(ran).toEqual(['check']);
  expect(document.activeElement).toBe(button);
});

it('is put in again when it has become wider, and keeps the focus', () => {
  const insert = vi.spyOn(bar, 'insertItem');
  const [button, status] = [find('.bg-CheckButton'), find('[role=status]')];
  let width = 100;
  Object.defineProperty(button.parentElement!, 'clientWidth', { get: () => width });
  button.focus();
  for (const [now, times] of [
    [130, 1],
    [130, 1],
    [120, 1],
    [140, 2],
  ]) {
    width = now;
    toolbar.show({ isChecking: true, counts: null });
    toolbar.show({ isChecking: false, counts: { pass: now, fail: 0, error: 0 } });
    expect(insert).toHaveBeenCalledTimes(times);
    expect(document.activeElement).toBe(button);
    expect(bar.widgets[0].node.contains(button)).toBe(true);
    expect(bar.widgets[1].node.contains(status), 'what is read out stays where it is').toBe(true);
  }
});

it('has a menu with the commands that exist', () => {
  find('.bg-LabBadge').click();
  const labels = [...document.querySelectorAll('.lm-Menu-item[data-type=command] .lm-Menu-itemLabel')].map(
    label => label.textContent,
  );
  expect(labels).toEqual(['download', 'reset']);
  expect(find('.bg-LabBadge').getAttribute('aria-expanded')).toBe('true');
});

it('says where the copies are, and downloads', () => {
  const place = find('.bg-LabPlace');
  expect(place.hidden, 'nothing was written yet').toBe(true);
  toolbar.showPlace({ label: 'Only in this browser', about: 'There is no copy.', isOnlyHere: true });
  expect(place.hidden).toBe(false);
  expect(place.getAttribute('aria-label')).toBe('Only in this browser: download my work');
  expect(place.title).toBe('Only in this browser. There is no copy. Click to download your work.');
  expect(place.querySelector('.download')).not.toBeNull();
  place.click();
  expect(ran).toEqual(['download']);
  toolbar.showPlace({ label: 'On disk since 12:00', about: '', isOnlyHere: false });
  expect(place.querySelector('.check')).not.toBeNull();
  expect(place.classList.contains('bg-only-here')).toBe(false);
});

it('is removed as a whole', () => {
  toolbar.dispose();
  expect(bar.node.querySelector('button')).toBeNull();
  expect(bar.hasClass('bg-LabToolbar')).toBe(false);
});
