// The first script of every page of the engines' tests: keeps what the page reports, since not every driver tells of it.
window.watched = { console: [], errors: [] };
for (const level of ['debug', 'log', 'info', 'warn', 'error']) {
  const own = console[level];
  console[level] = (...values) => {
    watched.console.push(`${level}: ${values.map(value => value?.stack ?? String(value)).join(' ')}`);
    own.apply(console, values);
  };
}
addEventListener('error', event => watched.errors.push(String(event.error?.stack ?? event.message)));
addEventListener('unhandledrejection', event => watched.errors.push(String(event.reason?.stack ?? event.reason)));

// The value of an expression, which sees the page's globals.
window.watched.read = source => new Function(`return (${source});`)();

// Calls a function with an argument, or evaluates an expression; awaits promises. Resolves to JSON, which all drivers carry alike.
window.watched.evaluate = async (source, argument) => {
  try {
    let value = watched.read(source);
    if (typeof value === 'function') value = value(argument);
    return JSON.stringify({ value: (await value) ?? null });
  } catch (error) {
    return JSON.stringify({ error: String(error?.stack ?? error), message: String(error) });
  }
};

// Resolves to an expression's value once it is true.
window.watched.until = async (expression, argument, ms) => {
  const end = performance.now() + ms;
  for (;;) {
    let value = await watched.read(expression);
    if (typeof value === 'function') value = await value(argument);
    if (value) return value;
    if (performance.now() > end) throw new Error(`Never true: ${expression}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
};

// The last visible element that a selector matches, with exactly this text if one is given, once it lies still and nothing covers it.
window.watched.find = async (selector, text) => {
  const found = [...document.querySelectorAll(selector)]
    .filter(one => one.getClientRects().length && (text === null || one.textContent.trim() === text))
    .pop();
  if (!found) return null;
  found.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  const place = () => {
    const { x, y, width, height } = found.getBoundingClientRect();
    return [x + width / 2, y + height / 2];
  };
  // A busy page draws rarely, so what slides in may stand at the same place twice.
  const moves = document
    .getAnimations()
    .filter(({ effect }) => effect?.target?.contains(found) && effect.getComputedTiming().endTime < Infinity);
  await Promise.allSettled(moves.map(move => move.finished));
  const before = place();
  await new Promise(resolve => setTimeout(resolve, 50));
  await new Promise(resolve => requestAnimationFrame(resolve));
  const [x, y] = place();
  if (x !== before[0] || y !== before[1]) return null;
  const top = document.elementFromPoint(x, y);
  return top && (found.contains(top) || found.shadowRoot?.contains(top) || top.contains(found)) ? found : null;
};
