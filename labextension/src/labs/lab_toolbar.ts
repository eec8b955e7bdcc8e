/**
 * What a lab adds to its notebook's toolbar: the button *Check my work*, the lab's name, which opens the menu of all else, and where the
 * copies of the notebook are.
 */
import { checkIcon, downloadIcon, type Toolbar } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import { DisposableDelegate, DisposableSet, type IDisposable } from '@lumino/disposable';
import { Menu, Widget } from '@lumino/widgets';

import { countsText } from '../renderers/assertions';
import type { AssertionsContent } from '../runtime/events';
import { isPhone, PHONE } from '../shell_sides';
import { arrangeUntilTheyFit } from './fit_toolbar';
import { CHECK_ITEM, itemsBefore } from './run_first';
import type { WorkPlace } from './work_places';

/** What is known about the checks of one notebook. */
export interface CheckState {
  isChecking: boolean;
  /** Counts of the latest check; null before the first one. */
  counts: AssertionsContent['counts'] | null;
}

export interface LabToolbarOptions {
  id: string;
  version: string;
  /** The command of the button. */
  check: string;
  /** The command that downloads the student's work. */
  download: string;
  /** The commands of the menu, in groups. */
  menu: readonly (readonly string[])[];
}

const TOOLBAR_CLASS = 'bg-LabToolbar';

export class LabToolbar implements IDisposable {
  private readonly added = new DisposableSet();
  private readonly check = makeButton('bg-CheckButton');
  private readonly badge = makeButton('bg-LabBadge');
  private readonly place = makeButton('bg-LabPlace');
  private readonly label = document.createElement('span');
  private readonly passed = document.createElement('span');
  /** Read out by screen readers whenever its text changes. It is there from the beginning, so that none is missed. */
  private readonly status = document.createElement('span');
  /** The counts that screen readers have been told. */
  private told: CheckState['counts'] = null;
  private state: CheckState = { isChecking: false, counts: null };
  /** The item of the button *Check my work*, and the greatest width in which the toolbar has got it. */
  private readonly checkItem = new Widget({ node: document.createElement('div') });
  private checkWidth = 0;

  constructor(
    private readonly toolbar: Toolbar,
    private readonly commands: CommandRegistry,
    private readonly options: LabToolbarOptions,
    private readonly trans: TranslationBundle,
  ) {
    const { id, version, check } = options;
    this.passed.className = 'bg-passed';
    this.status.className = 'bg-unseen';
    this.status.setAttribute('role', 'status');
    this.check.append(this.label, this.passed);
    this.check.title = commands.caption(check);
    listen(this.check, () => this.run(this.check, check));
    this.badge.textContent = `${id} ${version}`;
    this.badge.title = trans.__('This notebook belongs to the lab %1, version %2', id, version);
    this.badge.setAttribute('aria-haspopup', 'menu');
    this.badge.setAttribute('aria-expanded', 'false');
    this.badge.setAttribute('aria-label', trans.__('%1 %2, menu of the lab', id, version));
    listen(this.badge, () => this.openMenu());
    listen(this.place, () => this.run(this.place, options.download));
    const phone = window.matchMedia(PHONE);
    const showAgain = (): void => this.show(this.state);
    phone.addEventListener('change', showAgain);
    this.added.add(new DisposableDelegate(() => phone.removeEventListener('change', showAgain)));
    this.show(this.state);
    this.showPlace(null);
    this.insert();
  }

  get isDisposed(): boolean {
    return this.added.isDisposed;
  }

  dispose(): void {
    this.added.dispose();
    this.toolbar.removeClass(TOOLBAR_CLASS);
  }

  /** Shows the state of the checks in the button, and tells screen readers. */
  show(state: CheckState): void {
    const { trans } = this;
    const { isChecking, counts } = state;
    this.state = state;
    const label = isPhone() ? trans.__('Check') : trans.__('Check my work');
    this.label.textContent = isChecking ? trans.__('Checking…') : label;
    // It stays focusable while it does nothing, so that the focus is not lost.
    this.check.setAttribute('aria-disabled', String(isChecking));
    const all = counts ? counts.pass + counts.fail + counts.error : 0;
    const isCounted = counts !== null && !isChecking;
    this.passed.hidden = !isCounted;
    this.passed.textContent = isCounted ? trans.__('%1/%2', counts.pass, all) : '';
    this.check.classList.toggle('bg-all-passed', isCounted && counts.pass === all);
    if (isCounted) {
      this.check.setAttribute('aria-label', trans.__('Check my work, %1 of %2 passed', counts.pass, all));
    } else if (isChecking) {
      this.check.removeAttribute('aria-label');
    } else {
      this.check.setAttribute('aria-label', trans.__('Check my work'));
    }
    if (isChecking) {
      this.status.textContent = trans.__('Checking your work…');
    } else if (counts && counts !== this.told) {
      this.status.textContent = trans.__('Your work was checked: %1', countsText(counts, trans));
    } else {
      this.status.textContent = ''; // a check that failed has its own notification
    }
    this.told = counts;
    if (isCounted) {
      this.makeRoom();
    }
  }

  /**
   * Puts the button into the toolbar again if it has become wider. JupyterLab's toolbar measures an item once, and forgets its width when the
   * item is removed.
   */
  private makeRoom(): void {
    const { node } = this.checkItem;
    const width = node.clientWidth;
    if (this.checkItem.parent === this.toolbar && width > this.checkWidth) {
      const focused = node.contains(document.activeElement);
      this.checkItem.parent = null;
      this.toolbar.insertItem(0, CHECK_ITEM, this.checkItem);
      if (focused) {
        focusInToolbar(this.check);
      }
      this.checkWidth = width;
    }
  }

  /** Shows where the copies of the notebook are, as an icon: the text would take much room. */
  showPlace(place: WorkPlace | null): void {
    const { trans } = this;
    const label = place?.label ?? '';
    this.place.hidden = !label;
    this.place.title = label && `${label}. ${place!.about} ${trans.__('Click to download your work.')}`;
    this.place.setAttribute('aria-label', trans.__('%1: download my work', label));
    const isOnlyHere = place?.isOnlyHere ?? false;
    // Only another icon replaces the present one: a click that has begun on an icon is lost with it.
    if (!this.place.firstChild || this.place.classList.contains('bg-only-here') !== isOnlyHere) {
      this.place.replaceChildren((isOnlyHere ? downloadIcon : checkIcon).element({ tag: 'span' }));
    }
    this.place.classList.toggle('bg-only-here', isOnlyHere);
  }

  /** The button comes first, so that it is never among the items which a narrow toolbar moves into its menu. */
  private insert(): void {
    const other = (): Widget => new Widget({ node: document.createElement('div') });
    const items: [string, Widget, HTMLElement[]][] = [
      [CHECK_ITEM, this.checkItem, [this.check]],
      // What is read out is in an item that is never put in again.
      ['browsergrad-lab', other(), [this.badge, this.status]],
      ['browsergrad-place', other(), [this.place]],
    ];
    this.toolbar.addClass(TOOLBAR_CLASS);
    items.forEach(([name, item, nodes], index) => {
      item.node.append(...nodes);
      // In a narrow window, *Run* and *Stop* come between the button and the name.
      this.toolbar.insertItem(index ? itemsBefore() + index : 0, name, item);
      this.added.add(item);
      this.added.add(keepInTabOrder(nodes[0]));
    });
    this.added.add(arrangeUntilTheyFit(this.toolbar));
  }

  /** Runs a command for this notebook. */
  private run(from: HTMLElement, command: string): void {
    // A click does not focus a button in Safari, and commands act on the notebook that has the focus.
    from.focus();
    if (from.getAttribute('aria-disabled') !== 'true') {
      void this.commands.execute(command);
    }
  }

  private openMenu(): void {
    const { badge, commands, options } = this;
    badge.focus();
    const menu = new Menu({ commands });
    for (const group of options.menu) {
      menu.addItem({ type: 'separator' }); // not shown at the ends, nor twice
      for (const command of group.filter(each => commands.hasCommand(each))) {
        menu.addItem({ command });
      }
    }
    menu.title.label = badge.textContent ?? '';
    menu.aboutToClose.connect(() => {
      badge.setAttribute('aria-expanded', 'false');
      focusInToolbar(badge);
    });
    const { left, bottom } = badge.getBoundingClientRect();
    badge.setAttribute('aria-expanded', 'true');
    menu.open(left, bottom);
  }
}

/** Focuses a button of a toolbar. JupyterLab's toolbar gives a focus that comes from outside to another of its items, so it is asked twice. */
function focusInToolbar(button: HTMLElement): void {
  button.focus();
  button.focus();
}

function makeButton(className: string): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = className;
  return made;
}

/** Acts on a click, which the toolbar must not see: it would move the focus to the notebook, and close the menu. */
function listen(target: HTMLElement, act: () => void): void {
  target.addEventListener('click', event => {
    event.stopPropagation();
    act();
  });
}

/**
 * Lets the Tab key reach a button of a toolbar. A toolbar lets Tab reach only one of its items, and the arrow keys the others. JupyterLab's chooses one
 * that may not be shown: then Tab passes the whole toolbar by.
 */
function keepInTabOrder(button: HTMLElement): IDisposable {
  const keep = (): void => {
    if (button.tabIndex !== 0) {
      button.tabIndex = 0;
    }
  };
  const observer = new MutationObserver(keep);
  observer.observe(button, { attributeFilter: ['tabindex'] });
  keep();
  return new DisposableDelegate(() => observer.disconnect());
}
