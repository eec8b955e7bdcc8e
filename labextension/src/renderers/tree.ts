/**
 * Shows JSON as a tree with a search field, in the WAI-ARIA pattern *tree view*. A branch is made when it is opened.
 *
 * JupyterLab's own JSON viewer makes all nodes immediately, and its nodes cannot be reached by keyboard.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { element, visible } from './dom';

/** Children of a branch that are shown at first, and that each further step adds. */
const STEP = 100;
/** Longest part of a string that is shown, in characters. */
const MAX_STRING_LENGTH = 2000;
/** Number of nodes that a search visits, and of matches that are shown. */
const MAX_SEARCHED = 200_000;
const MAX_MATCHES = 100;
/** Branches on the first level with no more children than this are open at first. */
const MAX_OPEN_CHILDREN = 20;

type Step = string | number;

function isBranch(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function childrenOf(value: object): [Step, unknown][] {
  return Array.isArray(value) ? value.map((item, index) => [index, item]) : Object.entries(value);
}

function leafText(value: unknown): string {
  return typeof value === 'string' ? `"${visible(value, MAX_STRING_LENGTH)}"` : visible(String(value));
}

function pathText(path: Step[]): string {
  return path
    .map(step => (typeof step === 'number' ? `[${step}]` : `[${JSON.stringify(visible(step, 200))}]`))
    .join('');
}

class Tree {
  readonly root = element('ul', 'bg-tree');

  constructor(
    data: unknown,
    label: string,
    private readonly trans: TranslationBundle,
  ) {
    this.root.setAttribute('role', 'tree');
    this.root.setAttribute('aria-label', label);
    const top = this.item('$', data, 1);
    top.tabIndex = 0;
    this.root.append(top);
    if (isBranch(data) && Object.keys(data).length <= MAX_OPEN_CHILDREN) {
      this.open(top);
    }
    this.root.addEventListener('keydown', event => this.onKey(event));
    this.root.addEventListener('click', event => this.onClick(event));
  }

  /** Opens all branches down to a path and moves the focus there. */
  reveal(path: Step[]): void {
    let item = this.root.firstElementChild as HTMLElement;
    for (const step of path) {
      this.open(item);
      for (;;) {
        const found = this.within(item).find(child => child.dataset.step === String(step));
        const more = this.within(item).find(child => child.dataset.more !== undefined);
        if (found) {
          item = found;
          break;
        }
        if (!more) {
          return;
        }
        this.showMore(more);
      }
    }
    this.focus(item);
  }

  private readonly values = new WeakMap<HTMLElement, unknown>();
  private readonly rest = new WeakMap<HTMLElement, [Step, unknown][]>();

  private within(item: HTMLElement): HTMLElement[] {
    const group = item.querySelector(':scope > ul');
    return group ? ([...group.children] as HTMLElement[]) : [];
  }

  private item(key: Step, value: unknown, level: number): HTMLElement {
    const node = element('li');
    node.setAttribute('role', 'treeitem');
    node.setAttribute('aria-level', String(level));
    node.tabIndex = -1;
    node.dataset.step = String(key);
    this.values.set(node, value);
    const line = element('span', 'bg-node', element('span', 'bg-key', visible(String(key), 200)), ': ');
    if (isBranch(value)) {
      const count = Object.keys(value).length;
      line.append(
        Array.isArray(value)
          ? this.trans._n('%1 item', '%1 items', count, count.toLocaleString())
          : this.trans._n('%1 key', '%1 keys', count, count.toLocaleString()),
      );
      node.setAttribute('aria-expanded', 'false');
    } else {
      const kind = value === null ? 'null' : typeof value;
      line.append(element('bdi', `bg-${kind}`, leafText(value)));
    }
    node.append(line);
    return node;
  }

  private append(group: HTMLElement, children: [Step, unknown][], level: number): void {
    group.append(...children.slice(0, STEP).map(([key, value]) => this.item(key, value, level)));
    const rest = children.slice(STEP);
    if (rest.length) {
      const more = element(
        'li',
        'bg-more',
        element('span', 'bg-node', this.trans.__('Show more (%1 left)', rest.length.toLocaleString())),
      );
      more.setAttribute('role', 'treeitem');
      more.setAttribute('aria-level', String(level));
      more.tabIndex = -1;
      more.dataset.more = '';
      this.rest.set(more, rest);
      group.append(more);
    }
  }

  private showMore(more: HTMLElement): void {
    const group = more.parentElement as HTMLElement;
    const level = Number(more.getAttribute('aria-level'));
    const before = more.previousElementSibling;
    more.remove();
    this.append(group, this.rest.get(more) ?? [], level);
    this.focus(before?.nextElementSibling as HTMLElement);
  }

  private open(item: HTMLElement): void {
    const value = this.values.get(item);
    if (!isBranch(value) || item.getAttribute('aria-expanded') === 'true') {
      return;
    }
    item.setAttribute('aria-expanded', 'true');
    const group = element('ul');
    group.setAttribute('role', 'group');
    this.append(group, childrenOf(value), Number(item.getAttribute('aria-level')) + 1);
    item.append(group);
  }

  private close(item: HTMLElement): void {
    if (item.getAttribute('aria-expanded') === 'true') {
      item.setAttribute('aria-expanded', 'false');
      item.querySelector(':scope > ul')?.remove();
    }
  }

  private focus(item: HTMLElement | null | undefined): void {
    if (item) {
      this.root.querySelectorAll('[tabindex="0"]').forEach(node => ((node as HTMLElement).tabIndex = -1));
      item.tabIndex = 0;
      item.focus();
    }
  }

  private activate(item: HTMLElement): void {
    if (item.dataset.more !== undefined) {
      this.showMore(item);
    } else if (item.getAttribute('aria-expanded') === 'true') {
      this.close(item);
    } else {
      this.open(item);
    }
  }

  private onClick(event: MouseEvent): void {
    const line = (event.target as Element).closest('.bg-node');
    const item = line?.parentElement;
    if (item) {
      this.focus(item);
      this.activate(item);
    }
  }

  private onKey(event: KeyboardEvent): void {
    const item = (event.target as Element).closest<HTMLElement>('[role=treeitem]');
    if (!item || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const all = [...this.root.querySelectorAll<HTMLElement>('[role=treeitem]')];
    const at = all.indexOf(item);
    const expanded = item.getAttribute('aria-expanded');
    switch (event.key) {
      case 'ArrowDown':
        this.focus(all[at + 1]);
        break;
      case 'ArrowUp':
        this.focus(all[at - 1]);
        break;
      case 'Home':
        this.focus(all[0]);
        break;
      case 'End':
        this.focus(all[all.length - 1]);
        break;
      case 'ArrowRight':
        if (expanded === 'true') {
          this.focus(this.within(item)[0]);
        } else {
          this.open(item);
        }
        break;
      case 'ArrowLeft':
        if (expanded === 'true') {
          this.close(item);
        } else {
          this.focus(item.parentElement?.closest<HTMLElement>('[role=treeitem]'));
        }
        break;
      case 'Enter':
      case ' ':
        this.activate(item);
        break;
      default:
        return;
    }
    // The notebook has shortcuts for the same keys.
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Returns the paths of the keys and values that contain `text`, in upper or lower case. */
export function search(data: unknown, text: string): { paths: Step[][]; complete: boolean } {
  const wanted = text.toLowerCase();
  const paths: Step[][] = [];
  const queue: [Step[], unknown][] = [[[], data]];
  let looked = 0;
  for (let i = 0; i < queue.length; i++) {
    const [path, value] = queue[i];
    if (++looked > MAX_SEARCHED || paths.length >= MAX_MATCHES) {
      return { paths, complete: false };
    }
    const key = path[path.length - 1];
    const text = isBranch(value) ? '' : String(value);
    if (text.toLowerCase().includes(wanted) || (typeof key === 'string' && key.toLowerCase().includes(wanted))) {
      paths.push(path);
    }
    if (isBranch(value)) {
      for (const [step, child] of childrenOf(value)) {
        queue.push([[...path, step], child]);
      }
    }
  }
  return { paths, complete: true };
}

/** Makes a tree of `data`, below a field that searches keys and values. */
export function treeView(data: unknown, label: string, trans: TranslationBundle): HTMLElement {
  const tree = new Tree(data, label, trans);
  const box = element('div', 'bg-json');
  if (isBranch(data)) {
    const field = element('input', 'bg-search');
    field.type = 'search';
    field.placeholder = trans.__('Search keys and values');
    field.setAttribute('aria-label', trans.__('Search in %1', label));
    const status = element('p', 'bg-hint');
    status.setAttribute('role', 'status');
    const list = element('ol', 'bg-matches');
    field.addEventListener('keydown', event => event.stopPropagation());
    field.addEventListener('input', () => {
      list.replaceChildren();
      if (!field.value) {
        status.textContent = '';
        return;
      }
      const { paths, complete } = search(data, field.value);
      status.textContent = trans._n('%1 match', '%1 matches', paths.length) + (complete ? '' : trans.__(' or more'));
      list.append(
        ...paths.map(path => {
          const link = element('button', 'bg-button', `$${pathText(path)}`);
          link.type = 'button';
          link.addEventListener('click', () => tree.reveal(path));
          return element('li', '', link);
        }),
      );
    });
    box.append(field, status, list);
  }
  const scroll = element('div', 'bg-scroll', tree.root);
  box.append(scroll);
  return box;
}
