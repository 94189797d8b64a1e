/** Who signs for the shift, and what the signature is for. The server has the last word. */
import { signal } from '@preact/signals';
import { post, Problem } from '../shared/api';
import { board, isTownship, loadBoard, queue } from '../shared/board';
import { failure } from '../shared/describe';
import { isLed } from '../shared/incident';
import { isOf, soundOnHere } from './shift';
import type { Incident, ShiftState } from '../shared/types';

type Handover = NonNullable<NonNullable<ShiftState['current']>['handover']>;

export const shiftShown = signal(false);
/** Why the last signature was not taken. */
export const refused = signal<string | null>(null);

/** Pure: what this login can do about the shift. */
export type Standing = 'nobody' | 'mine' | 'mine_handed_over' | 'handed_over' | 'held';
export function standing({ current, me }: ShiftState): Standing {
  if (!current) return 'nobody';
  const mine = current.officer.id === me.id;
  if (current.handover) return mine ? 'mine_handed_over' : 'handed_over';
  return mine ? 'mine' : 'held';
}

/** What whoever leaves must have read: all that is open and goes with nothing else. */
export const toRead = (all: readonly Incident[]): Incident[] => all.filter((it) => !isLed(it, all));

async function sign(path: string, body: unknown): Promise<boolean> {
  try {
    const shift = await post<ShiftState>(`/shift/${path}`, body);
    refused.value = null;
    if (board.value) board.value = { ...board.value, shift };
    if (shift.current) isOf(shift.current.officer.name);
    return true;
  } catch (error) {
    refused.value = failure(error);
    if (error instanceof Problem && error.status === 409) void loadBoard();
    return false;
  }
}

/** From a press: only then a browser lets the page sound. Whoever has not signed yet is asked for nothing more, unless another has the shift. */
export async function startShift(): Promise<void> {
  void soundOnHere();
  // A township's page has sound and no shift.
  if (isTownship.peek()) return;
  const shift = board.peek()?.shift;
  const at = shift && standing(shift);
  if (at === 'mine') return;
  // A handover is read before it is answered.
  if (at === 'handed_over' || at === 'held' || at === 'mine_handed_over') shiftShown.value = true;
  else if (!(await sign('start', {}))) shiftShown.value = true;
}

/** Pure: what has opened since the handover was signed. Nobody's signature is under it until it is read. */
export const openedSince = (handover: Handover, all: readonly Incident[]): Incident[] => toRead(all).filter(({ id }) => !handover.open.some(({ incident }) => incident === id));

/** `read`: what stood before the eyes of whoever signs. */
export const takeOver = (read: readonly Incident[] = []): Promise<boolean> => sign('start', { read: read.map(({ id }) => id) });
export const takeWithout = (why: string): Promise<boolean> => sign('start', { without_handover: why });

export function handOver(note: string, signedFor: { person: string; why: string } | null): Promise<boolean> {
  const read = toRead(queue.peek()).map(({ id }) => id);
  return sign('hand-over', { read, note, signed_for: signedFor });
}

/** The page then shows the way in, for whoever comes. */
export async function logOut(): Promise<void> {
  try {
    await post('/logout', undefined);
    location.reload();
  } catch (error) {
    refused.value = failure(error);
  }
}
