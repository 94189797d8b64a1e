/** The form of a reported fire: where (map or typed), how exactly, who says so, what they said. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { board } from '../../shared/board';
import { coordinates } from '../../shared/where';
import { Cross, Tick, Warning } from '../../shared/icons';
import { gridAt } from '../../shared/place';
import { classes } from '../../shared/ui';
import { intakeOpen } from '../desk';
import { at, clear, datums, draft, isPlaced, note, pointed, radii, refusal, sending, submit, village, villages, written } from '../intake';
import { words } from '../words';

const WORDS_MAX = 2000;

export function Intake() {
  const w = words();
  const place = useRef<HTMLInputElement>(null);
  const said = useRef<HTMLTextAreaElement>(null);
  const [resumed, setResumed] = useState(written.peek());
  const [asked, setAsked] = useState(false);
  useLayoutEffect(() => place.current?.focus(), []);
  const shown = pointed.value;
  const before = useRef(shown);
  useEffect(() => {
    if (shown !== before.current) said.current?.focus();
    before.current = shown;
  }, [shown]);
  const send = (): void => {
    setAsked(true);
    if (isPlaced.value) void submit();
    else place.current?.focus();
  };
  const { radius_m, caller } = draft.value;
  return (
    <form
      class="intake"
      noValidate
      aria-labelledby="intake-title"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.isComposing) send();
      }}
    >
      <div class="intake-scroll">
        <header class="intake-head">
          <h1 id="intake-title">{w.intake}</h1>
          <button type="button" class="tool" onClick={() => (intakeOpen.value = false)}>
            {w.intakeCancel} <kbd>Esc</kbd>
          </button>
        </header>
        {resumed && (
          <p class="intake-resumed">
            <span>{w.intakeResumed}</span>
            <button
              type="button"
              class="link"
              onClick={() => {
                clear();
                setResumed(false);
                place.current?.focus();
              }}
            >
              {w.intakeClear}
            </button>
          </p>
        )}
        <label class="intake-label" for="intake-place">
          {w.intakePlace} <small>{w.datums[datums.indexOf(draft.value.datum)]}</small>
        </label>
        <input
          ref={place}
          id="intake-place"
          class="intake-input mono"
          type="text"
          autoComplete="off"
          spellcheck={false}
          placeholder={w.intakePlacePlaceholder}
          aria-describedby="intake-place-hint"
          aria-invalid={at.value === null && village.value === null && (asked || draft.value.place.trim() !== '')}
          value={draft.value.place}
          onInput={(event) => note({ place: event.currentTarget.value })}
        />
        <PlaceHint asked={asked} />
        <Chosen name="intake-datum" title={w.intakeDatum} options={w.datums} chosen={datums.indexOf(draft.value.datum)} onChoose={(i) => note({ datum: datums[i]! })} />
        <Chosen name="intake-radius" title={w.intakeRadius} options={w.radii} chosen={radii.indexOf(radius_m as (typeof radii)[number])} onChoose={(i) => note({ radius_m: radii[i]! })} />
        <label class="intake-label" for="intake-village">
          {w.intakeVillage} <small>{w.intakeVillageWhen}</small>
        </label>
        <input
          id="intake-village"
          class="intake-input"
          type="text"
          autoComplete="off"
          maxLength={100}
          list="intake-villages"
          aria-describedby="intake-village-hint"
          value={draft.value.village}
          onInput={(event) => note({ village: event.currentTarget.value })}
        />
        <datalist id="intake-villages">
          {villages.value.map(({ name }) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <VillageHint />
        <Chosen name="intake-caller" title={w.intakeWho} options={w.callers} chosen={caller} onChoose={(i) => note({ caller: i })} />
        <input class="intake-input" type="text" autoComplete="off" maxLength={100} aria-label={w.intakeName} placeholder={w.intakeName} value={draft.value.who} onInput={(event) => note({ who: event.currentTarget.value })} />
        <input
          id="intake-phone"
          class="intake-input mono"
          type="tel"
          autoComplete="off"
          maxLength={30}
          aria-label={w.intakePhone}
          placeholder={w.intakePhone}
          value={draft.value.phone}
          onInput={(event) => note({ phone: event.currentTarget.value })}
        />
        <label class="intake-label" for="intake-words">
          {w.intakeWords}
        </label>
        <textarea ref={said} id="intake-words" class="intake-input" rows={5} maxLength={WORDS_MAX} placeholder={w.intakeWordsPlaceholder} value={draft.value.words} onInput={(event) => note({ words: event.currentTarget.value })} />
      </div>
      <footer class="actions">
        {refusal.value !== null && (
          <p class="task task-failed" role="alert">
            <Cross size={13} /> <span>{w.intakeRefused(refusal.value)}</span>
          </p>
        )}
        <button type="submit" class="button button-red button-wide" disabled={sending.value} data-confirm="intake">
          {sending.value ? w.sending : refusal.value !== null ? w.intakeAgain : w.intakeSend} <kbd>{w.ctrlEnter}</kbd>
        </button>
      </footer>
    </form>
  );
}

/** What the program understood: the place in decimal degrees and the grid it lies in, or why not. */
function PlaceHint({ asked }: { asked: boolean }) {
  const w = words();
  const place = at.value;
  const typed = draft.value.place.trim() !== '';
  if (village.value !== null) return null;
  const grids = board.value?.county.grids;
  const grid = place && grids ? gridAt(place, grids) : null;
  const [tone, Icon, text] = !place
    ? typed
      ? (['bad', Cross, w.intakeUnclear] as const)
      : ([asked ? 'bad' : 'dim', asked ? Cross : null, w.intakePointing] as const)
    : grid === null
      ? (['doubt', Warning, w.intakeOutside(coordinates(place))] as const)
      : (['good', Tick, w.intakeGrid(grid, coordinates(place))] as const);
  return (
    <p id="intake-place-hint" class={`intake-hint hint-${tone}`} data-hint={tone} aria-live="polite">
      {Icon && <Icon size={13} />} {text}
    </p>
  );
}

/** How far off a report by its village is, or why it does not count. */
function VillageHint() {
  const w = words();
  const typed = draft.value.village.trim() !== '';
  const [tone, Icon, text] =
    village.value !== null
      ? (['good', Tick, w.intakeVillageKnown(village.value.name, village.value.grids)] as const)
      : typed && draft.value.place.trim() !== ''
        ? (['dim', null, w.intakeVillageUnused] as const)
        : typed
          ? (['bad', Cross, w.intakeVillageUnknown] as const)
          : (['dim', null, ''] as const);
  return (
    <p id="intake-village-hint" class={`intake-hint hint-${tone}`} data-hint={tone} aria-live="polite">
      {Icon && <Icon size={13} />} {text}
    </p>
  );
}

interface ChosenProps {
  name: string;
  title: string;
  options: readonly string[];
  chosen: number;
  onChoose: (index: number) => void;
}

function Chosen({ name, title, options, chosen, onChoose }: ChosenProps) {
  return (
    <fieldset class="intake-set">
      <legend class="intake-label">{title}</legend>
      <div class="intake-chips">
        {options.map((word, i) => (
          <label key={word} class={classes('chip', 'chip-radio', i === chosen && 'chip-chosen')}>
            <input class="visually-hidden" type="radio" name={name} value={i} checked={i === chosen} onChange={() => onChoose(i)} />
            {word}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
