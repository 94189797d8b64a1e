import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { openStore } from '../ranger/outbox/store';
import { incident } from './incidents';
import type { RangerIncident } from '../shared/types';

const task: RangerIncident = { ...incident('a'), mine: 'sent', told_as: null, answered_at: null };
const got: { path: string; key: string; body: unknown }[] = [];
const photo = (): Blob => new Blob(['jpeg'], { type: 'image/jpeg' });

/** A page that was opened anew: all modules as at the first time, only the disk is as it was. */
async function page() {
  vi.resetModules();
  const state = await import('../ranger/state');
  await state.outbox.load();
  return { ...(await import('../ranger/draft')), outbox: state.outbox };
}
const stored = async (count: number): Promise<unknown> => vi.waitFor(async () => expect(await openStore().items()).toHaveLength(count));

beforeEach(async () => {
  vi.stubGlobal('location', { hash: '' });
  vi.stubGlobal('addEventListener', () => undefined);
  vi.stubGlobal('navigator', { onLine: true });
  vi.stubGlobal('fetch', async (path: string, { headers, body }: { headers: Record<string, string>; body: unknown }) => {
    got.push({ path, key: headers['Idempotency-Key']!, body: typeof body === 'string' ? JSON.parse(body) : body });
    return new Response('{}');
  });
  got.length = 0;
  const store = openStore();
  for (const { key } of await store.items()) await store.remove(key);
});

describe('a report being written', () => {
  it('survives the page with its words and photos, and is gone from the form once sent, each part once', async () => {
    const first = await page();
    first.write(task, { category: 3 });
    first.write(task, { note: 'field edge' });
    first.keepPhoto(task, photo());
    first.keepPhoto(task, photo());
    await stored(3);
    const second = await page();
    expect(second.formOf(task)).toMatchObject({ category: 3, note: 'field edge', out: null });
    expect(second.photosOf('a').map((it) => it.photo?.size)).toEqual([4, 4]);
    expect(second.formOf({ ...task, id: 'b' })).toMatchObject({ category: null, note: '' });
    expect(got).toEqual([]);
    second.submit(task, { category: 3, words: 'field edge', photos: 2 });
    expect(second.photosOf('a')).toEqual([]);
    expect(second.formOf(task).category).toBeNull();
    second.outbox.flush(true);
    await vi.waitFor(() => expect(second.outbox.items.value.every((it) => it.deliveredAt !== null)).toBe(true));
    expect(got.map((it) => it.path)).toEqual(['/api/v1/incidents/a/report', '/api/v1/incidents/a/photos', '/api/v1/incidents/a/photos']);
    expect(got[0]?.body).toMatchObject({ category: 3, words: 'field edge', photos: 2 });
    expect(new Set(got.map((it) => it.key)).size).toBe(3);
  });

  it('is gone when the ranger discards it', async () => {
    const { write, keepPhoto, discard } = await page();
    write(task, { note: 'no' });
    keepPhoto(task, photo());
    await stored(2);
    discard('a');
    await stored(0);
  });

  it('begins with what was sent back', async () => {
    const { formOf } = await page();
    const verification = { category: 2, flames: null, area_mu: 3.5, extinguished: true, words: 'out', photos: ['p'], no_photo_reason: 'dark' };
    expect(formOf({ ...task, verification, sent_back: 'no photo' })).toEqual({ category: 2, flames: null, out: true, area: '3.5', note: 'out', noPhoto: null });
    expect(formOf({ ...task, verification, sent_back: null }).category).toBeNull();
  });
});
