import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as ts from 'typescript';
import { describe, expect, it } from 'vitest';

const SOURCES = join(__dirname, '..', 'src');
/** Places in which a string is shown to people. */
const PROPERTIES = /^(?:textContent|innerText|title|label|caption|placeholder|alt|body)$/;
const ATTRIBUTES = /^(?:aria-label|aria-description|title|alt|placeholder)$/;

/** Functions whose strings are all shown. */
const SHOWING = /^(?:showErrorMessage|Notification\.\w+|Notice|CheckFailed|MissingFile|\w+\.update|\w+\.succeed|add)$/;

function isShown(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isCallExpression(parent) || ts.isNewExpression(parent)) {
    const name = parent.expression.getText();
    const given = parent.arguments ?? ([] as ts.Expression[]);
    const at = given.indexOf(node as ts.Expression);
    const [first] = given;
    return (
      SHOWING.test(name) ||
      (name === 'element' && at > 1) ||
      (name === 'button' && at === 0) ||
      /\.(?:append|prepend|replaceChildren)$/.test(name) ||
      (name.endsWith('.setAttribute') && at === 1 && ts.isStringLiteral(first) && ATTRIBUTES.test(first.text))
    );
  }
  if (ts.isJsxExpression(parent)) {
    return isShown(parent);
  }
  if (ts.isJsxAttribute(parent)) {
    return ATTRIBUTES.test(parent.name.getText());
  }
  if (ts.isJsxElement(parent)) {
    return true;
  }
  if (ts.isBinaryExpression(parent)) {
    const { left, operatorToken } = parent;
    if (operatorToken.kind === ts.SyntaxKind.EqualsToken) {
      return parent.right === node && ts.isPropertyAccessExpression(left) && PROPERTIES.test(left.name.text);
    }
    return operatorToken.kind === ts.SyntaxKind.PlusToken && isShown(parent);
  }
  if (ts.isPropertyAssignment(parent)) {
    return PROPERTIES.test(parent.name.getText());
  }
  return (ts.isConditionalExpression(parent) || ts.isParenthesizedExpression(parent)) && isShown(parent);
}

function words(node: ts.Node): string {
  if (ts.isStringLiteralLike(node) || ts.isJsxText(node)) {
    return node.text;
  }
  return ts.isTemplateExpression(node)
    ? [node.head, ...node.templateSpans.map(one => one.literal)].map(one => one.text).join('')
    : '';
}

/** Texts of a source that people read in the same form in every language. */
function bareTexts(source: string, name = 'x.tsx'): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const text = words(node);
    if (/\p{L}{2}/u.test(text) && isShown(node)) {
      found.push(text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true));
  return found;
}

describe('texts that people read', () => {
  it.each([
    ["element('p', 'bg-hint', 'Bare text')", ['Bare text']],
    ["button('Bare', () => undefined)", ['Bare']],
    ["node.textContent = many ? 'Many' : 'None'", ['Many', 'None']],
    ["node.setAttribute('aria-label', `Bare ${name}`)", ['Bare ']],
    ["show({ title: 'Bare' })", ['Bare']],
    ["box.append('Found ' + number)", ['Found ']],
    ['<h2 aria-label="Bare">{many ? "Many" : trans.__("One")} left</h2>', ['Bare', 'Many', ' left']],
    ["showErrorMessage('Bare', `${name} is bare`)", ['Bare', ' is bare']],
    ['Notification.error(`Not done: ${why}`, { autoClose: false })', ['Not done: ']],
    ["new Notice('Working…')", ['Working…']],
    ["add(CHECK, 'Check', run)", ['Check']],
    ['<ul className="bg-list">{trans.__("Translated")}</ul>', []],
    ["element('p', 'bg-hint', trans.__('Translated'), ' · ')", []],
    ["node.setAttribute('role', 'group')", []],
  ])('are told from others in %s', (source, expected) => expect(bareTexts(source)).toEqual(expected));

  const files = ['labs', 'offline', 'renderers', 'results', 'work'].flatMap(folder =>
    readdirSync(join(SOURCES, folder)).map(name => join(folder, name)),
  );
  it.each(files)('go through the translator in %s', file =>
    expect(bareTexts(readFileSync(join(SOURCES, file), 'utf-8'), file)).toEqual([]),
  );
});
