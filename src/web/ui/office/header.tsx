import { board, queue } from '../shared/board';
import { now } from '../shared/clock';
import { date } from '../shared/describe';
import { groupOf, groups, type Group } from '../shared/incident';
import { Brand, MarkIcon, Muted, Sound } from '../shared/icons';
import { audible, unlock } from '../shared/sound';
import { clockTime } from '../shared/time';
import { classes, LanguageButton } from '../shared/ui';
import { common } from '../shared/words';
import { mute, muteLeftMs, onShift, soundWanted, startShift } from './alarm';
import { words } from './words';
import type { Mark } from '../shared/incident';
import type { Person } from '../shared/types';

const markOfGroup: Record<Group, Mark> = { overdue: 'overdue', relocation: 'needs_review', needs_review: 'needs_review', dispatched: 'dispatched', working: 'acknowledged', reported: 'reported', labelled: 'needs_review' };

export function Header() {
  const w = words();
  const duty = board.value?.duty;
  // Before the first answer nobody knows who is on the rota.
  const onDuty = (person: Person | null | undefined): string => (duty ? (person?.name ?? w.nobody) : w.notKnown);
  return (
    <header class="header">
      <span class="brand">
        <Brand /> <b>{common().product}</b> <span class="county">{board.value?.county.name}</span>
      </span>
      <Counts />
      <span class="header-right">
        {onShift.value ? (
          <SoundButton />
        ) : (
          <button type="button" class="shift" onClick={startShift} title={w.shiftHint} data-action="shift">
            <Sound /> {w.shift}
          </button>
        )}
        <span class="duty">
          <span>
            {w.officer} <b>{onDuty(duty?.officer)}</b>
          </span>
          <span>
            {w.leader} <b>{onDuty(duty?.leader)}</b>
          </span>
        </span>
        <LanguageButton class="header-button" />
        <span class="date">{date(now.value)}</span>
        <time class="clock">{clockTime(now.value)}</time>
      </span>
    </header>
  );
}

function Counts() {
  const w = words();
  const count = (group: Group): number => queue.value.filter((incident) => groupOf(incident, now.value) === group).length;
  return (
    <ul class="counts">
      {groups.map((group) => {
        const n = count(group);
        // The five parts of every day are always there. What is only labelled waits for nobody and is counted in the queue.
        if (group === 'labelled' || (group === 'relocation' && n === 0)) return null;
        return (
          <li key={group} class={classes('count', n > 0 && `count-${group}`)}>
            <MarkIcon mark={markOfGroup[group]} size={12} /> {w.counts[group]} <b>{board.value ? n : w.notKnown}</b>
          </li>
        );
      })}
    </ul>
  );
}

function SoundButton() {
  const w = words();
  const left = Math.ceil(muteLeftMs.value / 1000);
  if (!soundWanted.value || !audible.value)
    return (
      <button type="button" class="header-button" onClick={startShift} aria-pressed="false">
        <Muted /> {w.soundOff}
      </button>
    );
  return (
    <>
      <button type="button" class="header-button" onClick={() => (soundWanted.value = false)} aria-pressed="true">
        <Sound /> {w.soundOn}
      </button>
      <button type="button" class="header-button" onClick={mute} title="M">
        {left > 0 ? w.muted(left) : w.muteKey}
      </button>
    </>
  );
}

/** Bars that must not be missed: sound not running, or data that is no longer fresh. */
export function SoundBar() {
  const w = words();
  if (!onShift.value || !soundWanted.value || audible.value) return null;
  return (
    <button type="button" class="bar bar-red" onClick={() => void unlock()}>
      {w.soundBlocked}
    </button>
  );
}
