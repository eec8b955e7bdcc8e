/**
 * Makes elements from the text of user code, which becomes text nodes, never markup.
 */

/** Characters that are invisible or change how others are shown. Python's `visible` has the same ones. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** Longest text that is shown, in characters. */
const MAX_TEXT_LENGTH = 20_000;

/** Returns `text` with escapes for control, format and bidirectional characters, cut at `limit`. */
export function visible(text: string, limit = MAX_TEXT_LENGTH): string {
  const shown = text.slice(0, limit).replace(INVISIBLE, character => {
    if (character === '\n' || character === '\t') {
      return character;
    }
    const code = character.codePointAt(0) as number;
    return code < 256
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : code < 65536
        ? `\\u${code.toString(16).padStart(4, '0')}`
        : `\\U${code.toString(16).padStart(8, '0')}`;
  });
  return text.length > limit ? `${shown}… (${text.length.toLocaleString()} characters)` : shown;
}

/** Makes an element with a class and children. Strings among the children become text. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className = '',
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const node = document.createElement(tag);
  if (className) {
    node.className = className;
  }
  node.append(...children);
  return node;
}

/** Puts user text into an element of its own, so that its writing direction does not affect its surroundings. */
export function userText(text: string, limit = MAX_TEXT_LENGTH): HTMLElement {
  return element('bdi', '', visible(text, limit));
}

export function button(label: string, onClick: () => void, className = 'bg-button'): HTMLButtonElement {
  const node = element('button', className, label);
  node.type = 'button';
  node.addEventListener('click', onClick);
  return node;
}

/** Ms of work after which the page gets a turn. */
const SLICE_MS = 20;

/**
 * A list that shows the first `step` items, and has a button for `step` more as long as there are more.
 *
 * Items are made in slices of time, so that a page with many items stays responsive.
 */
export class Steps<T> {
  readonly node: HTMLElement;
  private items: readonly T[] = [];
  private made = 0;
  private wanted: number;
  private more: HTMLButtonElement | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param outer - the element that is shown: `list`, or an element around it.
   * @param label - returns the button's text, given the number of items that are left.
   */
  constructor(
    outer: HTMLElement,
    private readonly list: HTMLElement,
    private readonly make: (item: T) => HTMLElement,
    private readonly step: number,
    private readonly label: (left: number) => string,
  ) {
    this.node = element('div', '', outer);
    this.wanted = step;
  }

  /** Replaces the items. The new ones must begin with those that are shown. */
  show(items: readonly T[]): this {
    this.items = items;
    this.fill();
    return this;
  }

  /** The items that are shown. */
  get shown(): readonly T[] {
    return this.items.slice(0, this.made);
  }

  /** Stops making items. */
  stop(): void {
    clearTimeout(this.timer);
  }

  private fill(): void {
    clearTimeout(this.timer);
    const end = performance.now() + SLICE_MS;
    const wanted = Math.min(this.wanted, this.items.length);
    while (this.made < wanted && performance.now() < end) {
      this.list.append(this.make(this.items[this.made++]));
    }
    if (this.made < wanted) {
      this.timer = setTimeout(() => this.fill());
    }
    this.offerMore(this.items.length - wanted);
  }

  private offerMore(left: number): void {
    if (left && !this.more) {
      this.more = button('', () => this.grow());
      this.node.append(this.more);
    } else if (!left) {
      this.more?.remove();
      this.more = null;
    }
    if (this.more) {
      this.more.textContent = this.label(left);
    }
  }

  private grow(): void {
    const before = this.made;
    this.wanted = before + this.step;
    this.fill();
    const first = this.list.children[before];
    if (!this.more && first instanceof HTMLElement) {
      first.tabIndex = -1;
      first.focus();
    }
  }
}
