/** Pure: what is proclaimed, in words: short for a badge, whole for whoever asks. */
import { stamp } from '../../shared/describe';
import { common } from '../../shared/words';
import { noticeWords } from '../words/notice';
import type { InForce, Proclaimed } from '../../shared/types';

/** One thing that is in force. `tone` names its colour; the words say the same. */
export interface Said {
  tone: string;
  short: string;
  whole: string;
}

type Named = (area: string) => string;

export function said(held: InForce, now: number, named: Named = (area) => area): Said[] {
  const w = noticeWords();
  const of = (tone: string, what: string, full: string, it: Proclaimed): Said => ({ tone, short: it.areas.length > 0 ? w.partly(what) : what, whole: whole(full, it, now, named) });
  return [
    ...held.danger.map((it) => of(`level-${it.level}`, w.level(it.level), `${w.level(it.level)} ${w.levelName[it.level - 1] ?? ''}`.trim(), it)),
    ...held.signals.map((it) => of(`signal-${it.colour}`, w.signal[it.colour], w.signal[it.colour], it)),
    ...held.bans.map((it) => of('ban', w.ban, w.named(w.ban, it.name), it)),
  ];
}

/** The strongest of each kind, for the header: what is below it for the same or other ground is in the list. */
export function strongest(held: InForce, now: number): Said[] {
  return said({ danger: held.danger.slice(0, 1), signals: held.signals.slice(0, 1), bans: held.bans.slice(0, 1) }, now);
}

function whole(what: string, it: Proclaimed, now: number, named: Named): string {
  const w = noticeWords();
  const ground = it.areas.length > 0 ? it.areas.map(named).join(w.join) : w.wholeCounty;
  const until = it.until === null ? w.open : w.until(stamp(it.until, now));
  return [what, ground, w.issuedBy(it.issuer), `${w.from(stamp(it.from, now))} ${until}`, it.why ?? ''].filter(Boolean).join(common().separator);
}
