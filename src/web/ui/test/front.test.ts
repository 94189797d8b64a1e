import { expect, it, vi } from 'vitest';

vi.stubGlobal('location', { hash: '' });
vi.stubGlobal('addEventListener', () => undefined);
vi.stubGlobal('navigator', { onLine: true });

it('opens the only task, and never swaps what is shown for another', async () => {
  const { frontOf } = await import('../ranger/front');
  expect(frontOf(null, 0, ['a'])).toBe('a');
  expect(frontOf('a', 1, ['a', 'b'])).toBe('a');
  expect(frontOf('a', 2, ['b'])).toBe('a');
  expect(frontOf(null, 2, ['b']), 'a list stays a list').toBeNull();
  expect(frontOf(null, 0, ['a', 'b'])).toBeNull();
});
