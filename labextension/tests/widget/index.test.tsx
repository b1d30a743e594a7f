import { screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import widget from '../../src/widget/index';

test('the widget draws the canvas and takes it away again', async () => {
  const el = document.body.appendChild(document.createElement('div'));
  const remove = widget.render({ el });
  await waitFor(() => expect(screen.getByRole('region', { name: 'Workflow, 0 nodes' })).toBeTruthy());
  remove();
  expect(screen.queryByRole('region')).toBeNull();
});
