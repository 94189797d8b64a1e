import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { next, outcomeOf, pause, stageOf, type Item } from '../ranger/outbox/item';
import { Outbox, type Deliver, type Tapped } from '../ranger/outbox/outbox';
import { openStore, type Store } from '../ranger/outbox/store';
import { shelf } from './shelves';

const tapped = (kind: Item['kind'], key: string, change: Partial<Item> = {}): Tapped => ({
  key, kind, incident: 'i', place: 'p', happenedAt: '2026-11-21T06:00:00Z', body: {}, position: null, ...change,
});
const item = (kind: Item['kind'], seq: number, change: Partial<Item> = {}): Item => ({ ...tapped(kind, `${kind}${seq}`), seq, attempts: 0, refused: null, deliveredAt: null, ...change });

/** A server that answers what the test says, by default well, and remembers what it got. */
function server(...answers: (number | string)[]): { deliver: Deliver; got: string[] } {
  const got: string[] = [];
  const deliver: Deliver = async (it) => {
    got.push(it.key);
    const answer = answers.shift() ?? 200;
    return typeof answer === 'string' ? { status: 409, code: answer, words: 'no' } : { status: answer, code: '', words: 'no' };
  };
  return { got, deliver };
}
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
const words = (box: Outbox): (boolean | null)[] => box.items.value.map((it) => it.deliveredAt !== null);

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

describe('rules', () => {
  it('takes 2xx as delivered, and of the 409 only what is over', () => {
    expect([200, 201, 204].map((status) => outcomeOf(status))).toEqual(Array(3).fill('delivered'));
    expect(['closed', 'not_now', 'key_reused', 'conflict', '', 'new one'].map((code) => outcomeOf(409, code))).toEqual(['delivered', 'refused', 'new-key', 'later', 'later', 'later']);
    expect([0, 401, 408, 429, 500, 503].map((status) => outcomeOf(status))).toEqual(Array(6).fill('later'));
    expect([400, 403, 404, 422].map((status) => outcomeOf(status))).toEqual(Array(4).fill('refused'));
  });

  it('retries after 0, 2, 5, 15 seconds, then each 30', () => {
    expect([0, 1, 2, 3, 4, 99].map(pause)).toEqual([0, 2000, 5000, 15_000, 30_000, 30_000]);
  });

  it('sends words before pictures, each in the order of the taps, and a photo that failed after the others', () => {
    const photos = [item('photo', 1, { attempts: 1 }), item('photo', 2)];
    const list = [...photos, item('report', 4), item('acknowledge', 3), item('arrive', 5, { deliveredAt: 1 }), item('decline', 6, { refused: 'no' }), item('arrive', 0, { draft: true })];
    expect(next(list, 'i')?.seq).toBe(3);
    expect(next(list, 'i photos')).toBeUndefined();
    expect(next(photos, 'i photos')?.seq).toBe(2);
    expect(next([...photos, item('report', 4, { incident: 'other' })], 'i photos')?.seq).toBe(2);
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

describe('outbox on IndexedDB', () => {
  beforeEach(async () => {
    vi.useRealTimers();
    const store = openStore();
    for (const it of await store.items()) await store.remove(it.key);
  });

  it('delivers and keeps a record without the photo', async () => {
    const { deliver, got } = server();
    const box = new Outbox(openStore(), deliver);
    box.add(tapped('photo', 'p', { photo: new Blob(['x']) }));
    box.add(tapped('acknowledge', 'a'));
    await vi.waitFor(() => expect(words(box)).toEqual([true, true]));
    expect(got.sort()).toEqual(['a', 'p']);
    expect(box.items.value.some((it) => 'photo' in it)).toBe(false);
  });

  it('keeps a tap and a draft through failures and a reload, under the same keys, until the server has them', async () => {
    const first = server(0);
    const box = new Outbox(openStore(), first.deliver);
    box.add(tapped('acknowledge', 'a'));
    box.add(tapped('photo', 'p', { draft: true, photo: new Blob(['x']) }));
    await vi.waitFor(async () => expect(await openStore().items()).toHaveLength(2));
    box.stop();
    const second = server(500, 'closed');
    const again = new Outbox(openStore(), second.deliver);
    await again.load();
    expect(again.items.value.map((it) => it.key)).toEqual(['a', 'p']);
    expect(again.items.value[1]?.photo).toBeDefined();
    await vi.waitFor(() => expect([second.got, again.busy.value]).toEqual([['a'], false]));
    again.flush();
    await vi.waitFor(() => expect(words(again)).toEqual([true, false]));
    again.release('p', {});
    await vi.waitFor(() => expect(words(again)).toEqual([true, true]));
    expect([...first.got, ...second.got]).toEqual(['a', 'a', 'a', 'p']);
    again.stop();
  });

  it('opens a database anew that the browser has closed', async () => {
    const store = openStore('closed');
    await store.put(item('acknowledge', 1));
    const put = IDBObjectStore.prototype.put;
    let times = 1;
    IDBObjectStore.prototype.put = function (...values) {
      if (times-- > 0) throw new DOMException('The database connection is closing.', 'InvalidStateError');
      return put.apply(this, values);
    };
    await store.put(item('arrive', 2));
    IDBObjectStore.prototype.put = put;
    expect(await store.items()).toHaveLength(2);
  });
});

describe('sending', () => {
  const sent = (store: Store, ...answers: (number | string)[]) => {
    const { deliver, got } = server(...answers);
    return { box: new Outbox(store, deliver), got };
  };

  it('stops at a failure, so that order holds, and goes on by itself', async () => {
    const { box, got } = sent(shelf(), 503);
    box.add(tapped('acknowledge', 'a'));
    box.add(tapped('arrive', 'b'));
    await settle();
    expect(got).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(2000);
    expect(got).toEqual(['a', 'a', 'b']);
  });

  it('never lets what fails for one incident delay another', async () => {
    const got: string[] = [];
    const box = new Outbox(shelf(), async (it) => (got.push(it.key), { status: it.incident === 'bad' ? 500 : 200, code: '', words: '' }));
    box.add(tapped('acknowledge', 'a', { incident: 'bad' }));
    await vi.advanceTimersByTimeAsync(60_000);
    box.add(tapped('acknowledge', 'b', { incident: 'good' }));
    await settle();
    expect(got.filter((key) => key === 'b')).toEqual(['b']);
    expect(words(box)).toEqual([false, true]);
    box.stop();
  });

  it('sends again what met another change, and under a new key what the server took for something else', async () => {
    const { box, got } = sent(shelf(), 'conflict', 'key_reused');
    box.add(tapped('acknowledge', 'a'));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(got.slice(0, 2)).toEqual(['a', 'a']);
    expect(got).toHaveLength(3);
    expect(got[2]).not.toBe('a');
    expect(box.items.value).toMatchObject([{ key: got[2], refused: null }]);
    expect(words(box)).toEqual([true]);
  });

  it('lets the next item pass a refused one, which stays until the ranger decides', async () => {
    const { box, got } = sent(shelf(), 403);
    box.add(tapped('acknowledge', 'a'));
    box.add(tapped('arrive', 'b'));
    await settle();
    expect(got).toEqual(['a', 'b']);
    const [refused] = box.items.value;
    expect(refused?.refused).toBe('no');
    box.decide(refused!, false);
    expect(box.items.value.map((it) => it.key)).toEqual(['b']);
  });

  it('waits for a position at most the hold, and sends at once when it comes or when it is told to', async () => {
    const { box, got } = sent(shelf());
    box.add(tapped('acknowledge', 'a'), 5000);
    await vi.advanceTimersByTimeAsync(4999);
    box.flush();
    expect(got).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(got).toEqual(['a']);
    box.add(tapped('arrive', 'b'), 5000);
    box.locate('b', { at: { lat_deg: 1, lon_deg: 2 }, accuracy_m: 9 });
    await settle();
    expect(box.items.value[1]?.position?.accuracy_m).toBe(9);
    box.add(tapped('report', 'c'), 5000);
    box.flush(true);
    await settle();
    expect(got).toEqual(['a', 'b', 'c']);
  });

  it.each([-400 * 86_400_000, -86_400_000, -1000, 1000, 86_400_000, 400 * 86_400_000])('holds no longer when the clock jumps by %i ms, and not at all after a load', async (jump) => {
    const store = shelf();
    const { box, got } = sent(store);
    box.add(tapped('acknowledge', 'a'), 5000);
    vi.setSystemTime(Date.now() + jump);
    await vi.advanceTimersByTimeAsync(5000);
    expect(got).toEqual(['a']);
    box.add(tapped('arrive', 'b'), 5000);
    await settle();
    box.stop();
    vi.setSystemTime(Date.now() + jump);
    const later = sent(store);
    await later.box.load();
    await settle();
    expect(later.got).toEqual(['b']);
    expect(later.box.items.value).toHaveLength(2);
  });
});

describe('a disk that fails', () => {
  /** A day of taps with its drafts, and the end of the page. */
  async function day(store: Store): Promise<{ got: string[]; box: Outbox }> {
    const { deliver, got } = server();
    const box = new Outbox(store, deliver);
    void box.load();
    box.add(tapped('acknowledge', 'a'), 5000);
    await settle();
    box.add(tapped('acknowledge', 'other', { incident: 'other' }));
    await vi.advanceTimersByTimeAsync(5000);
    box.add(tapped('arrive', 'b'));
    box.add(tapped('report', 'c', { draft: true }));
    box.add(tapped('photo', 'p1', { draft: true, photo: new Blob(['1']) }));
    box.add(tapped('photo', 'p2', { draft: true, photo: new Blob(['2']) }));
    await settle();
    ['c', 'p1', 'p2'].forEach((key) => box.release(key, {}));
    await settle();
    return { got, box };
  }
  const all = ['a', 'b', 'c', 'other', 'p1', 'p2'];

  it('costs no tap and sends none twice, whichever call it fails at, once or from then on', async () => {
    const whole = shelf();
    await day(whole);
    expect(whole.calls).toBeGreaterThan(10);
    for (let at = 0; at < whole.calls; at++)
      for (const fails of [(call: number) => call === at, (call: number) => call >= at, (call: number) => call < at]) {
        const { got, box } = await day(shelf(fails));
        expect([...got].sort(), `failing at ${at}`).toEqual(all);
        expect(box.kept.value, 'what is sent cannot be lost').toBe(true);
        box.stop();
      }
  });

  it('is said while something unsent would die with the page, and is tried again', async () => {
    let full = true;
    const store = shelf(() => full);
    const box = new Outbox(store, server(0, 0).deliver);
    box.add(tapped('acknowledge', 'a'));
    box.add(tapped('photo', 'p', { draft: true, photo: new Blob(['x']) }));
    await settle();
    expect(box.kept.value).toBe(false);
    full = false;
    box.flush();
    await settle();
    expect(box.kept.value).toBe(true);
    expect([...store.kept.keys()].sort()).toEqual(['a', 'p']);
    box.stop();
  });

  it('stops no other item: a photo that cannot be kept leaves the words on the disk', async () => {
    const store = shelf();
    const put = store.put;
    store.put = async (it) => (it.photo ? Promise.reject(new Error('full')) : put(it));
    const { deliver, got } = server(0);
    const box = new Outbox(store, deliver);
    box.add(tapped('photo', 'p', { draft: true, photo: new Blob(['x']) }));
    box.add(tapped('acknowledge', 'a'));
    await settle();
    expect([...store.kept.keys()]).toEqual(['a']);
    box.release('p', {});
    await vi.advanceTimersByTimeAsync(2000);
    expect(got).toEqual(['a', 'a', 'p']);
  });
});
