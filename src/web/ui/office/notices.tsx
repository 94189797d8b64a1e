/** Danger level, signal, bans: in the header the strongest of each, whole on a press; at an incident what holds at its place. */
import { board } from '../shared/board';
import { now } from '../shared/clock';
import { Field } from '../shared/ui';
import { said, strongest } from './say/notices';
import { noticeWords } from './words/notice';
import type { InForce } from '../shared/types';

/** A grid's code says nothing to a person: its name, as the map has it. */
function areaName(area: string): string {
  const grid = board.value?.county.grids.features.find((it) => it.properties?.['code'] === area)?.properties;
  return grid ? [grid['village'], grid['name']].filter(Boolean).join(' ') : area;
}

export function Notices() {
  const held = board.value?.in_force;
  if (!held) return null;
  const short = strongest(held, now.value);
  if (short.length === 0) return null;
  return (
    <details class="notices">
      <summary title={noticeWords().title}>
        {short.map((it) => (
          <span class={`notice notice-${it.tone}`} key={it.tone}>
            {it.short}
          </span>
        ))}
      </summary>
      <ul>
        {said(held, now.value, areaName).map((it) => (
          <li key={it.whole}>
            <i class={`notice-dot notice-${it.tone}`} aria-hidden="true" /> {it.whole}
          </li>
        ))}
      </ul>
    </details>
  );
}

export function NoticesHere({ held }: { held: InForce }) {
  const here = said(held, now.value, areaName);
  if (here.length === 0) return null;
  return (
    <Field name={noticeWords().title}>
      {here.map((it) => (
        <span class={`notice notice-${it.tone}`} key={it.whole} title={it.whole}>
          {it.short}
        </span>
      ))}
    </Field>
  );
}
