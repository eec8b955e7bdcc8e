/**
 * Lets menus take taps.
 *
 * Lumino before 2.10, as JupyterLite 0.8 has it, knows the item of a menu only once a pointer has moved over it. A finger that taps does not move, so
 * nothing happens. Newer ones take taps themselves; the first event below does not disturb them.
 *
 * In all versions, the menu closes when the finger is lifted. Browsers send the click of a tap a moment later, to what is then at that place: the
 * button or the cell below the menu would be clicked too. Preventing `touchend` prevents that click.
 */
export function letMenusTakeTaps(): void {
  document.addEventListener(
    'pointerup',
    ({ pointerType, target, clientX, clientY }) => {
      if (pointerType === 'touch' && target instanceof Element && target.closest('.lm-Menu')) {
        // On the target itself: once the menu has closed, its events no longer reach the document.
        target.addEventListener('touchend', event => event.preventDefault(), { once: true, passive: false });
        target.dispatchEvent(
          new PointerEvent('pointermove', { bubbles: true, pointerType: 'mouse', clientX, clientY }),
        );
      }
    },
    true, // before the menu itself
  );
}
