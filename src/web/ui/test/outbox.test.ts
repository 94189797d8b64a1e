import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { inOrder, outcomeOf, pause, stageOf, type Item } from '../ranger/outbox/item';
import { Outbox, type Deliver } from '../ranger/outbox/outbox';
import { memoryStore, openStore, type Store } from '../ranger/outbox/store';

const draft = (kind: Item['kind'], key: string, change: Partial<Item> = {}) => ({
  key, kind, incident: 'i', place: 'p', happenedAt: '2026-11-21T06:00:00Z', body: {}, position: null, holdUntil: 0, ...change,
});
const item = (kind: Item['kind'], seq: number, change: Partial<Item> = {}): Item => ({ ...draft(kind, `${kind}${seq}`), seq, attempts: 0, refused: null, deliveredAt: null, ...change });

/** A server that answers what the test says and remembers what it got. */
function server(...answers: number[]): { deliver: Deliver; got: string[] } {
  const got: string[] = [];
  return { got, deliver: async (it) => (got.push(it.key), { status: answers.shift() ?? 200, words: 'no' }) };
}
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

describe('rules', () => {
  it('takes 2xx and 409 as delivered, keeps the rest', () => {
    expect([200, 201, 204, 409].map(outcomeOf)).toEqual(Array(4).fill('delivered'));
    expect([0, 408, 429, 500, 503].map(outcomeOf)).toEqual(Array(5).fill('later'));
    expect(outcomeOf(401)).toBe('signed-out');
    expect([400, 403, 404, 422].map(outcomeOf)).toEqual(Array(4).fill('refused'));
  });

  it('retries after 0, 2, 5, 15 seconds, then each 30', () => {
    expect([0, 1, 2, 3, 4, 99].map(pause)).toEqual([0, 2000, 5000, 15_000, 30_000, 30_000]);
  });

  it('sends words before pictures, each in the order of the taps', () => {
    const list = [item('photo', 1), item('report', 2), item('acknowledge', 3), item('arrive', 4, { deliveredAt: 1 }), item('decline', 5, { refused: 'no' })];
    expect(inOrder(list).map((it) => it.seq)).toEqual([2, 3, 1]);
  });

  it('shows the stage of the taps before the server knows them, and never less than the server', () => {
    const it = { id: 'i', state: 'dispatched', dispatch: { declined: null } };
    expect(stageOf(it, [])).toBe('new');
    expect(stageOf(it, [item('acknowledge', 1)])).toBe('acknowledged');
    expect(stageOf(it, [item('acknowledge', 1), item('arrive', 2)])).toBe('arrived');
    expect(stageOf({ ...it, state: 'arrived' }, [item('acknowledge', 1)])).toBe('arrived');
    expect(stageOf(it, [item('acknowledge', 1, { incident: 'other' })])).toBe('new');
    expect(stageOf(it, [item('acknowledge', 1, { refused: 'no' })])).toBe('new');
    expect(stageOf(it, [item('report', 1, { body: { interim: true } })])).toBe('arrived');
    expect(stageOf({ ...it, state: 'closed' }, [item('acknowledge', 1)])).toBe('closed');
    expect(stageOf(it, [item('decline', 1)])).toBe('declined');
  });

  it('lets a ranger report whose arrival was not proven, and keeps who is only told out of the steps', () => {
    const it = { id: 'i', state: 'acknowledged', dispatch: { declined: null, claimed: {} } };
    expect(stageOf(it, [])).toBe('arrived');
    expect(stageOf({ ...it, mine: 'told' }, [])).toBe('told');
    expect(stageOf({ ...it, mine: 'told', answered_at: '2026-11-21T06:00:00Z' }, [])).toBe('heard');
    expect(stageOf({ ...it, mine: 'asked', state: 'dispatched' }, [])).toBe('asked');
    expect(stageOf({ ...it, mine: 'asked', state: 'dispatched' }, [item('acknowledge', 1)])).toBe('heard');
  });
});

describe.each<[string, () => Promise<Store>]>([
  ['IndexedDB', openStore],
  ['memory', async () => memoryStore()],
])('outbox on %s', (_, open) => {
  beforeEach(async () => {
    vi.useRealTimers();
    const store = await open();
    for (const it of await store.items()) await store.remove(it.key);
  });

  it('delivers in order and keeps a record without the photo', async () => {
    const { deliver, got } = server();
    const box = new Outbox(await open(), deliver);
    await box.add(draft('photo', 'p', { photo: new Blob(['x']) }));
    await box.add(draft('acknowledge', 'a'));
    await vi.waitFor(() => expect(box.items.value.every((it) => it.deliveredAt !== null)).toBe(true));
    expect(got.sort()).toEqual(['a', 'p']);
    expect(box.items.value.some((it) => 'photo' in it)).toBe(false);
  });

  it('keeps an item through failures and a reload, with the same key, until the server has it', async () => {
    const store = await open();
    const first = server(0);
    const box = new Outbox(store, first.deliver);
    await box.add(draft('acknowledge', 'a'));
    await vi.waitFor(() => expect(box.busy.value).toBe(false));
    box.stop();
    const second = server(500, 409);
    const again = new Outbox(store, second.deliver);
    await again.load();
    expect(again.items.value).toHaveLength(1);
    await again.flush();
    expect(again.items.value[0]).toMatchObject({ deliveredAt: null, attempts: 2 });
    await again.flush();
    expect(again.items.value[0]?.deliveredAt).not.toBeNull();
    expect([...first.got, ...second.got]).toEqual(['a', 'a', 'a']);
    again.stop();
  });
});

describe('sending', () => {
  it('stops at a failure, so that order holds, and goes on by itself', async () => {
    const { deliver, got } = server(503, 200, 200);
    const box = new Outbox(memoryStore(), deliver);
    await box.add(draft('acknowledge', 'a'));
    await box.add(draft('arrive', 'b'));
    await settle();
    expect(got).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(2000);
    expect(got).toEqual(['a', 'a', 'b']);
  });

  it('lets the next item pass a refused one, which stays until the ranger decides', async () => {
    const { deliver, got } = server(403);
    const box = new Outbox(memoryStore(), deliver);
    await box.add(draft('acknowledge', 'a'));
    await box.add(draft('arrive', 'b'));
    await settle();
    expect(got).toEqual(['a', 'b']);
    const [refused] = box.items.value;
    expect(refused?.refused).toBe('no');
    await box.decide(refused!, false);
    expect(box.items.value.map((it) => it.key)).toEqual(['b']);
  });

  it('waits for a position at most until the hold ends, and sends at once when it comes', async () => {
    const { deliver, got } = server();
    const box = new Outbox(memoryStore(), deliver);
    await box.add(draft('acknowledge', 'a', { holdUntil: Date.now() + 5000 }));
    await settle();
    expect(got).toEqual([]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(got).toEqual(['a']);
    await box.add(draft('arrive', 'b', { holdUntil: Date.now() + 5000 }));
    await box.locate('b', { at: { lat_deg: 1, lon_deg: 2 }, accuracy_m: 9 });
    await settle();
    expect(got).toEqual(['a', 'b']);
    expect(box.items.value[1]?.position?.accuracy_m).toBe(9);
  });

  it('says so when the session has ended, and keeps everything', async () => {
    const box = new Outbox(memoryStore(), server(401).deliver);
    await box.add(draft('acknowledge', 'a'));
    await settle();
    expect(box.signedOut.value).toBe(true);
    expect(box.items.value[0]).toMatchObject({ deliveredAt: null, refused: null });
    await vi.advanceTimersByTimeAsync(2000);
    expect(box.signedOut.value).toBe(false);
  });
});
