/**
 * Makes elements from user code's text, which only becomes text nodes and never markup.
 */

/** Characters that are invisible or change how others are shown; the same as in Python's `visible`. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** Most characters of one text that are shown. */
const MAX_TEXT_LENGTH = 20_000;

/** `text` with control, format and bidirectional characters as escapes, cut at `limit`. */
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

/** An element with a class, and children; strings among these are shown as text. */
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

/** User text in an element of its own, so that its writing direction does not affect its surroundings. */
export function userText(text: string, limit = MAX_TEXT_LENGTH): HTMLElement {
  return element('bdi', '', visible(text, limit));
}

export function button(label: string, onClick: () => void, className = 'bg-button'): HTMLButtonElement {
  const node = element('button', className, label);
  node.type = 'button';
  node.addEventListener('click', onClick);
  return node;
}

/** ms of work after which the page gets its turn. */
const SLICE_MS = 20;

/**
 * A list with the first `step` of its items, and a button for as many again while there are more.
 *
 * Items are made in slices of time, so that a page with many stays responsive.
 */
export class Steps<T> {
  readonly node: HTMLElement;
  private items: readonly T[] = [];
  private made = 0;
  private wanted: number;
  private more: HTMLButtonElement | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param outer - what is shown: `list` or an element around it.
   * @param label - of the button, given the number that is left.
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

  /** Takes items that begin with those that are shown. */
  show(items: readonly T[]): this {
    this.items = items;
    this.fill();
    return this;
  }

  /** Those that are shown. */
  get shown(): readonly T[] {
    return this.items.slice(0, this.made);
  }

  /** Makes no further items. */
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
