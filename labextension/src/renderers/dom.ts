/**
 * Elements from user code's text: it only ever becomes text nodes, never markup.
 */

/** Characters that change how others are seen, or can't be seen: the same as the Python side's `visible`. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** Characters of one text that are shown. */
export const TEXT_LIMIT = 20_000;

/** `text` with control, format and bidirectional characters as escapes, cut at `limit`. */
export function visible(text: string, limit = TEXT_LIMIT): string {
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

/** User text apart from its surroundings in direction. */
export function userText(text: string, limit = TEXT_LIMIT): HTMLElement {
  return element('bdi', '', visible(text, limit));
}

export function button(label: string, onClick: () => void, className = 'bg-button'): HTMLButtonElement {
  const node = element('button', className, label);
  node.type = 'button';
  node.addEventListener('click', onClick);
  return node;
}

/**
 * `list` with the first `step` of `items`, and a button for as many again while there are more.
 *
 * @param outer - what is shown: `list` or an element around it.
 * @param label - of the button, given the number that is left.
 */
export function inSteps<T>(
  outer: HTMLElement,
  list: HTMLElement,
  items: readonly T[],
  make: (item: T) => HTMLElement,
  step: number,
  label: (left: number) => string,
): HTMLElement {
  const box = element('div', '', outer);
  let shown = 0;
  const grow = (): HTMLElement | undefined => {
    const made = items.slice(shown, shown + step).map(make);
    list.append(...made);
    shown += made.length;
    return made[0];
  };
  grow();
  if (shown < items.length) {
    const more = button(label(items.length - shown), () => {
      const first = grow();
      more.textContent = label(items.length - shown);
      if (shown >= items.length) {
        more.remove();
        if (first) {
          first.tabIndex = -1;
          first.focus();
        }
      }
    });
    box.append(more);
  }
  return box;
}
