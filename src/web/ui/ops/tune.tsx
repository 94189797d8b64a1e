/** Trying thresholds: sliders, the sentence that says what would have happened, and the numbers behind it. */
import { clockTime, ms } from '../shared/time';
import { date } from '../shared/describe';
import { classes, Failed } from '../shared/ui';
import { common } from '../shared/words';
import { duration, level, seconds } from './point';
import { Rises } from './rises';
import { cameras, changed, chosen, computing, current, draft, edit, failedAt, hours, onlyChosen, reset, retryWhatIf, whatIf } from './state';
import { words } from './words';
import type { Alert, WhatIf } from '../shared/types';

/** Below this many verified alarms a rate says little. */
const FEW = 30;
const ALERTS_SHOWN = 6;
/** The program refuses more, and a limit that nothing reaches. */
const MEMORY_S = { min: 30, max: 600 };
const EVIDENCE = { min: 0.5, max: 10 };
/** More than this share of the memory's seconds never comes together. */
const REACHED = 0.09;

export function Tune() {
  const w = words();
  const [live, trial] = [current.value, draft.value];
  if (!live || !trial) return null;
  const [liveMemory, trialMemory] = [seconds(live.memory), seconds(trial.memory)];
  const most = Math.min(EVIDENCE.max, REACHED * trialMemory);
  const neutral = { min: 0.05, max: 0.99, step: 0.01, show: level };
  return (
    <section class="tune">
      <h2>
        {w.tune} <small>{w.tuneHint}</small>
        {changed.value && (
          <button type="button" class="link" onClick={reset}>
            {w.reset}
          </button>
        )}
      </h2>
      <div class="sliders">
        <Slider name={w.smokeNeutral} id="smoke" {...neutral} value={trial.smoke} live={live.smoke} onChange={(smoke) => edit({ smoke })} />
        <Slider name={w.fireNeutral} id="fire" {...neutral} value={trial.fire} live={live.fire} onChange={(fire) => edit({ fire })} />
        <Slider name={w.smokeTile} id="smoke-tile" {...neutral} value={trial.smoke_tile} live={live.smoke_tile} onChange={(smoke_tile) => edit({ smoke_tile })} />
        <Slider name={w.fireTile} id="fire-tile" {...neutral} value={trial.fire_tile} live={live.fire_tile} onChange={(fire_tile) => edit({ fire_tile })} />
        <Slider name={w.evidence} id="evidence" min={EVIDENCE.min} max={most} step={0.1} value={trial.evidence} live={live.evidence} show={(value) => value.toFixed(1)} onChange={(evidence) => edit({ evidence })} />
        <Slider
          name={w.memory}
          id="memory"
          {...MEMORY_S}
          step={10}
          value={trialMemory}
          live={liveMemory}
          show={w.seconds}
          onChange={(value) => edit({ memory: value === liveMemory ? live.memory : duration(value), evidence: Math.min(trial.evidence, REACHED * value) })}
        />
      </div>
      <Sentence />
    </section>
  );
}

interface SliderProps {
  name: string;
  id: string;
  min: number;
  max: number;
  step: number;
  value: number;
  live: number;
  show: (value: number) => string;
  onChange: (value: number) => void;
}

function Slider({ name, id, min, max, step, value, live, show, onChange }: SliderProps) {
  return (
    <label class="slider">
      <span>
        {name} <b class={classes(value !== live && 'moved')}>{value === live ? show(value) : words().change(show(live), show(value))}</b>
      </span>
      <input type="range" id={`slider-${id}`} min={min} max={max} step={step} value={value} aria-valuetext={show(value)} onInput={(event) => onChange(Number(event.currentTarget.value))} />
    </label>
  );
}

function Sentence() {
  const w = words();
  const answer = whatIf.value;
  const past = w.past[hours.value] ?? '';
  const trial = draft.value;
  const failed = failedAt('what-if');
  if (!answer && failed) return <Failed words={failed} retry={retryWhatIf} />;
  if (!answer || !trial) return <p class="sentence quiet">{w.computing}</p>;
  const { now, then } = answer;
  const sentence = changed.value
    ? w.sentence({
        smoke: level(trial.smoke),
        evidence: trial.evidence.toFixed(1),
        past,
        then: then.alarms,
        now: now.alarms,
        thenTrue: then.confirmed,
        nowTrue: now.confirmed,
        missed: Math.max(0, now.confirmed - then.confirmed),
        unverified: then.unverified,
      })
    : w.unchanged(past, now.alarms);
  return (
    <div class={classes('what-if', computing.value && 'computing')}>
      <p class="sentence" aria-live="polite" data-what-if={computing.value ? 'computing' : 'done'}>
        {sentence}
      </p>
      <Warnings answer={answer} />
      <div class="columns">
        <Numbers answer={answer} />
        <Alerts answer={answer} />
      </div>
      <Rises rises={answer.rises} limit={trial.evidence} />
      <p class="quiet">{w.frames(answer.frames.toLocaleString('en-US'))}</p>
    </div>
  );
}

function Warnings({ answer: { then } }: { answer: WhatIf }) {
  const w = words();
  const labelled = then.confirmed + then.false_alarms;
  const watched = onlyChosen.value ? 1 : Math.max(1, cameras.value?.length ?? 1);
  return (
    <>
      {labelled < FEW && <p class="warning">{w.few(labelled)}</p>}
      {then.alarms > hours.value * watched && <p class="warning">{w.tooMany}</p>}
    </>
  );
}

function Numbers({ answer: { now, then } }: { answer: WhatIf }) {
  const w = words();
  return (
    <table class="numbers">
      <thead>
        <tr>
          <th>{w.numbers}</th>
          <th class="number">{w.now}</th>
          <th class="number">{w.then}</th>
        </tr>
      </thead>
      <tbody>
        {(['alarms', 'confirmed', 'false_alarms', 'unverified'] as const).map((row) => (
          <tr key={row}>
            <th>{w.rows[row]}</th>
            <td class="number">{now[row]}</td>
            <td class={classes('number', now[row] !== then[row] && 'moved')}>{then[row]}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Alerts({ answer: { lost, gained } }: { answer: WhatIf }) {
  const w = words();
  if (lost.length + gained.length === 0) return <p class="quiet">{w.same}</p>;
  return (
    <div class="alerts">
      {lost.length > 0 && <List title={w.lost(lost.length)} alerts={lost} />}
      {gained.length > 0 && <List title={w.gained(gained.length)} alerts={gained} />}
    </div>
  );
}

function List({ title, alerts }: { title: string; alerts: Alert[] }) {
  const c = common();
  const name = (id: string): string => cameras.value?.find((camera) => camera.id === id)?.name ?? id;
  return (
    <div>
      <h3>{title}</h3>
      <ul>
        {alerts.slice(0, ALERTS_SHOWN).map((it) => (
          <li key={it.camera + it.at}>
            {date(ms(it.at))} {clockTime(ms(it.at))} {name(it.camera)} {c.klass[it.class]} <b>{it.confidence.toFixed(2)}</b>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function Scope() {
  const w = words();
  return (
    <div class="segments" role="group" aria-label={w.scope}>
      <button type="button" aria-pressed={!onlyChosen.value} onClick={() => (onlyChosen.value = false)}>
        {w.allCameras}
      </button>
      <button type="button" aria-pressed={onlyChosen.value} onClick={() => (onlyChosen.value = true)}>
        {chosen.value?.name}
      </button>
    </div>
  );
}
