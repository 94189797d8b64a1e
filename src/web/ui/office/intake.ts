/** A fire somebody tells the office about: what is known so far, the place still to be pointed at, sending. */
import { computed, signal } from '@preact/signals';
import { post, uuid } from '../shared/api';
import { board, isTownship, put } from '../shared/board';
import { toWgs84 } from '../shared/datum';
import { failure } from '../shared/describe';
import { parsePlace, villageNamed, villagesOf } from '../shared/place';
import { coordinates } from '../shared/where';
import { common } from '../shared/words';
import { intakeOpen, panel, select, tell } from './desk';
import { words } from './words';
import type { Datum, Incident, LatLon } from '../shared/types';

/** How far off the named place may be, metres. */
export const radii = [200, 500, 1000, 3000] as const;

/** The coordinate systems in which a caller's map may show a place. */
export const datums = ['wgs84', 'gcj02', 'bd09'] as const;

export interface Draft {
  /** As typed, or as the click on the map wrote it. */
  place: string;
  datum: Datum;
  radius_m: number;
  /** For a caller who cannot say more; counts where no place is given. */
  village: string;
  /** Which of `words().callers`. */
  caller: number;
  /** Name or tower. */
  who: string;
  /** The caller's number; the server shows it to the office alone. */
  phone: string;
  words: string;
}

const EMPTY: Draft = { place: '', datum: 'wgs84', radius_m: 500, village: '', caller: 0, who: '', phone: '', words: '' };

/** Closing the panel keeps it: a stray Esc must not cost a caller's words. */
export const draft = signal<Draft>(EMPTY);
export const sending = signal(false);
export const refusal = signal<string | null>(null);
const given = computed<LatLon | null>(() => parsePlace(draft.value.place));
export const at = computed<LatLon | null>(() => given.value && toWgs84(draft.value.datum, given.value));
/** The villages of the register of grids, each with how many grids it has. */
export const villages = computed(() => villagesOf(board.value?.county.grids));
/** The village that counts: a registered one, where no place is written. */
export const village = computed(() => (draft.value.place.trim() === '' ? (villageNamed(draft.value.village, villages.value) ?? null) : null));
export const isPlaced = computed(() => at.value !== null || village.value !== null);
export const written = computed(() => {
  const { place, village, who, phone, words } = draft.value;
  return [place, village, who, phone, words].some((it) => it.trim() !== '');
});
/** Counts the places shown on the map, so that the form can go on to the next question. */
export const pointed = signal(0);

/** One key for one content: a repeat after a lost answer is the same sighting, a corrected report is a new one. */
let key = uuid();

export function note(change: Partial<Draft>): void {
  draft.value = { ...draft.value, ...change };
  key = uuid();
}

export function point(place: LatLon): void {
  note({ place: coordinates(place), datum: 'wgs84' });
  pointed.value++;
}

export function clear(): void {
  note(EMPTY);
  refusal.value = null;
}

export function toggleIntake(): void {
  if (isTownship.peek()) return;
  panel.value = null;
  intakeOpen.value = !intakeOpen.value;
}

export async function submit(): Promise<void> {
  if (!isPlaced.value || sending.value) return;
  const w = words();
  const { datum, radius_m, caller, who, phone, words: said } = draft.value;
  const where = given.value ? { at: given.value, datum, radius_m } : { village: village.value?.name };
  const reporter = [w.callers[caller], who.trim()].filter(Boolean).join(common().separator);
  sending.value = true;
  refusal.value = null;
  try {
    const incident = await post<Incident>('/incidents', { ...where, who: reporter, phone: phone.trim(), words: said.trim() }, { key });
    put(incident);
    clear();
    select(incident.id);
    // The server adds a report to a fire it already knows: the officer must hear that this one is not new.
    tell(incident.sightings_count > 1 ? w.intakeJoined(incident.code) : w.intakeOpened(incident.code), incident.id);
  } catch (error) {
    refusal.value = failure(error);
  } finally {
    sending.value = false;
  }
}
