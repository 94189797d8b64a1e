import { board, isTownship, queue } from '../shared/board';
import { now } from '../shared/clock';
import { date } from '../shared/describe';
import { groupOf, groups, type Group } from '../shared/incident';
import { Brand, MarkIcon, Muted, Sound } from '../shared/icons';
import { clockTime, hourMinute } from '../shared/time';
import { classes, LanguageButton } from '../shared/ui';
import { common } from '../shared/words';
import { mute, muteLeftMs, unheard } from './alarm';
import { DutyButton } from './duty';
import { awaitsRelief, shift, sounding, soundOff, soundOnHere } from './shift';
import { logOut, startShift } from './signing';
import { Notices } from './notices';
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
        <Brand /> <b>{common().product}</b> <span class={classes('county', isTownship.value && 'town')}>{board.value?.county.name}</span>
      </span>
      <Notices />
      <Counts />
      <span class="header-right">
        {shift.value && <SoundButton />}
        {(!shift.value || awaitsRelief.value) && (
          <button type="button" class="shift" onClick={() => void startShift()} title={isTownship.value ? undefined : w.shiftHint} data-action="shift">
            <Sound /> {isTownship.value ? w.soundHere : w.shift}
          </button>
        )}
        {isTownship.value ? <CountyDuty /> : <DutyButton />}
        <span class="duty">
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

/** A township signs for no shift here: whom it phones, and the way out. */
function CountyDuty() {
  const w = words();
  const officer = board.value?.duty.officer;
  return (
    <>
      <a class="duty" href={officer?.phone ? `tel:${officer.phone}` : undefined}>
        {w.countyOfficer} <b>{officer?.name ?? w.nobody}</b> {officer?.phone}
      </a>
      <button type="button" class="header-button" data-action="log-out" onClick={() => void logOut()}>
        {w.logOut}
      </button>
    </>
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
  const here = shift.value && w.onDutyHere(shift.value.officer ?? w.nobody, hourMinute(shift.value.since));
  if (!sounding.value)
    return (
      <button type="button" class="header-button" onClick={() => void soundOnHere()} aria-pressed="false" title={here ?? undefined}>
        <Muted /> {w.soundOff}
      </button>
    );
  return (
    <>
      <button type="button" class="header-button" onClick={soundOff} aria-pressed="true" title={here ?? undefined}>
        <Sound /> {w.soundOn}
      </button>
      <button type="button" class="header-button" onClick={mute} title="M">
        {left > 0 ? w.muted(left) : w.muteKey}
      </button>
    </>
  );
}

/** Shouts until the sound runs. */
export function SoundBar() {
  const w = words();
  if (!unheard.value) return null;
  return (
    <button type="button" class="bar bar-red bar-shout" onClick={() => void soundOnHere()} data-bar="sound">
      {w.soundBlocked}
    </button>
  );
}
