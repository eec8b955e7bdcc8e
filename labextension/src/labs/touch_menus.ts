/**
 * Lets menus take taps. Lumino before 2.10, as JupyterLite 0.8 has it, knows the item of a menu only once a pointer has moved over it. A finger that
 * taps does not move, so nothing happens. Newer ones take taps themselves; the event below does not disturb them.
 */
export function letMenusTakeTaps(): void {
  document.addEventListener(
    'pointerup',
    ({ pointerType, target, clientX, clientY }) => {
      if (pointerType === 'touch' && target instanceof Element && target.closest('.lm-Menu')) {
        target.dispatchEvent(
          new PointerEvent('pointermove', { bubbles: true, pointerType: 'mouse', clientX, clientY }),
        );
      }
    },
    true, // before the menu itself
  );
}
