/** A report being written: kept in the outbox like a tap, its photos beside it, so that a reload or the camera app loses nothing. */
import { items, outbox, tapped, waitFor } from './state';
import type { Item } from './outbox/item';
import type { Flames, RangerIncident } from '../shared/types';

export interface Form {
  category: number | null;
  flames: Flames | null;
  out: boolean | null;
  area: string;
  note: string;
  noPhoto: string | null;
}

/** What was sent back comes as it was; it is to be completed, not written anew. */
export function emptyForm({ verification: it, sent_back }: Pick<RangerIncident, 'verification' | 'sent_back'>): Form {
  if (!it || !sent_back) return { category: null, flames: null, out: null, area: '', note: '', noPhoto: null };
  return { category: it.category, flames: it.flames, out: it.extinguished, area: it.area_mu === null ? '' : String(it.area_mu), note: it.words, noPhoto: null };
}

const drafts = (incident: string): Item[] => items.value.filter((item) => item.draft && item.incident === incident);
const written = (incident: string): Item | undefined => drafts(incident).find((item) => item.kind === 'report');

export const photosOf = (incident: string): Item[] => drafts(incident).filter((item) => item.kind === 'photo');
export const formOf = (incident: RangerIncident): Form => (written(incident.id)?.body as unknown as Form | undefined) ?? emptyForm(incident);

export function write(incident: RangerIncident, change: Partial<Form>): void {
  const body = { ...formOf(incident), ...change };
  const before = written(incident.id);
  if (before) outbox.change(before.key, { body });
  else outbox.add({ ...tapped('report', incident, body), draft: true });
}

export const keepPhoto = (incident: RangerIncident, photo: Blob): void => outbox.add({ ...tapped('photo', incident), photo, draft: true });
export const discard = (incident: string): void => drafts(incident).forEach((item) => outbox.drop(item.key));

/** The words go first, under the key they were written with; the photos follow. */
export function submit(incident: RangerIncident, body: Record<string, unknown>): void {
  navigator.vibrate?.(40);
  const now = tapped('report', incident, body);
  const photos = photosOf(incident.id);
  const report = { ...now, key: written(incident.id)?.key ?? now.key };
  if (written(incident.id)) outbox.release(report.key, report, waitFor(report));
  else outbox.add(report, waitFor(report));
  photos.forEach(({ key }) => outbox.release(key, { happenedAt: now.happenedAt }));
}
