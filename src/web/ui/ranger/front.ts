/** What the start page shows, and what is announced above it: nothing changes the screen under the thumb but the thumb. */
import { computed, effect, signal } from '@preact/signals';
import { open, route, stage } from './state';

/** The task that the start page shows instead of the list. */
export const front = signal<string | null>(null);

/** Pure: a task that comes to an empty list is opened, because it is why the phone is in the hand. What is shown then stays. */
export function frontOf(shown: string | null, openBefore: number, now: readonly string[]): string | null {
  return shown ?? (openBefore === 0 && now.length === 1 ? now[0]! : null);
}

let before = 0;
effect(() => {
  const ids = open.value.map((it) => it.id);
  front.value = frontOf(front.peek(), before, ids);
  before = ids.length;
});
addEventListener('hashchange', () => (front.value = null));

/** The incident on the screen. */
const shown = computed(() => {
  const [, page, id] = route.value.split('/');
  return page === 'i' ? id : page === '' ? front.value : null;
});

/** Orders that nobody has answered on this phone and that the screen does not show; the list shows them all by itself. */
export const announced = computed(() => {
  const onList = route.value.split('/')[1] === '' && front.value === null;
  return onList ? [] : open.value.filter((it) => it.id !== shown.value && ['new', 'asked'].includes(stage(it)));
});
