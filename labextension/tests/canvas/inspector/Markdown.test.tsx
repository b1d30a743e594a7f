import { render } from '@testing-library/react';
import { expect, test } from 'vitest';
import { blocks, Markdown } from '../../../src/canvas/inspector/Markdown';

test('blocks', () => {
  const text = '# Title\nOne\ntwo.\n\n- a\n  more\n- b\n\n```python\nx = 1\n```\n\n    indented\n>>> y';
  expect(blocks(text)).toEqual([
    { kind: 'heading', text: 'Title' },
    { kind: 'paragraph', text: 'One two.' },
    { kind: 'list', items: ['a more', 'b'] },
    { kind: 'code', text: 'x = 1' },
    { kind: 'code', text: '    indented\n>>> y' },
  ]);
});

test('a fence that is never closed ends with the text', () => {
  expect(blocks('```\nx')).toEqual([{ kind: 'code', text: 'x' }]);
});

test('markup in words', () => {
  const { container } = render(<Markdown text="Use `a < b` and **never** ``x``." />);
  expect([...container.querySelectorAll('code')].map((code) => code.textContent)).toEqual(['a < b', 'x']);
  expect(container.querySelector('strong')?.textContent).toBe('never');
});

test('HTML, links and images stay text', () => {
  const text =
    '<img src=x onerror=alert(1)> [click](javascript:alert(1)) ![p](http://x/y.png) <script>1</script>';
  const { container } = render(<Markdown text={text} />);
  expect(container.querySelectorAll('img, a, script')).toHaveLength(0);
  expect(container.textContent).toBe(text);
});
