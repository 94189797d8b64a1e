/** The pictures around an alarm, played: what came, what became of it, what is there now, and who else looks. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { frameUrl, get, stripUrl, type StripShow } from '../../shared/api';
import { cameras } from '../../shared/board';
import { now } from '../../shared/clock';
import { sourceName } from '../../shared/describe';
import { Box, Left, Right, Zoom } from '../../shared/icons';
import { clockTime, ms } from '../../shared/time';
import { BoxOverlay, Failed, Loading, classes } from '../../shared/ui';
import { boxShown } from '../desk';
import { GROWS_EVERY_MS, GROWS_MS, PLAY_MS, curve, firstShown, fromAlarm, stepped } from '../strip';
import { stripWords } from '../words/strip';
import './strip.css';
import type { Sighting, Strip } from '../../shared/types';

/** Who asked for less motion presses the button. */
const playsByItself = (): boolean => !matchMedia('(prefers-reduced-motion: reduce)').matches;

export function StripPlayer({ incident, sighting }: { incident: string; sighting: Sighting }) {
  const w = stripWords();
  const [strip, setStrip] = useState<Strip | null>(null);
  const [failed, setFailed] = useState(false);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let gone = false;
    const load = (): Promise<void> =>
      get<Strip>(`/incidents/${incident}/sightings/${sighting.id}/strip`).then(
        (it) => {
          if (gone) return;
          setStrip(it);
          setFailed(false);
        },
        () => {
          if (!gone) setFailed(true);
        },
      );
    void load();
    const timer = setInterval(() => {
      if (now.peek() - ms(sighting.observed_at) < GROWS_MS) void load();
    }, GROWS_EVERY_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [incident, sighting.id, tries]);
  if (!strip) return failed ? <Failed words={w.failed} retry={() => setTries(tries + 1)} /> : <Loading />;
  return (
    <section class="strip" aria-label={w.title}>
      {strip.frames.length > 1 ? <Player incident={incident} sighting={sighting} strip={strip} /> : <p class="dim">{w.none}</p>}
      <Live strip={strip} />
    </section>
  );
}

function Player({ incident, sighting, strip }: { incident: string; sighting: Sighting; strip: Strip }) {
  const w = stripWords();
  const { frames } = strip;
  const [at, setAt] = useState(() => firstShown(frames));
  const [playing, setPlaying] = useState(playsByItself);
  const [show, setShow] = useState<StripShow | null>(null);
  const [gone, setGone] = useState<string | null>(null);
  const count = frames.length;
  const step = (by: number): void => {
    setPlaying(false);
    setAt((it) => stepped(it, by, count));
  };
  useEffect(() => {
    if (!playing) return undefined;
    const timer = setInterval(() => setAt((it) => stepped(it, 1, count)), PLAY_MS);
    return () => clearInterval(timer);
  }, [playing, count]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.code];
      const target = event.target as HTMLElement;
      // The map and fields have arrows of their own.
      if (!by || event.altKey || event.ctrlKey || event.metaKey || target.closest('input, textarea, select, .leaflet-container')) return;
      event.preventDefault();
      step(by);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [count]);
  const line = useMemo(() => curve(frames), [frames]);
  const frame = frames[Math.min(at, count - 1)];
  if (!frame) return null;
  const toggle = (part: StripShow) => () => setShow(show === part ? null : part);
  const url = stripUrl(incident, sighting.id, frame.picture, show);
  return (
    <figure class="picture-figure">
      <div class={classes('picture', show === 'region' && 'picture-close')}>
        {gone === url ? (
          <p class="picture-failed" role="status">
            {w.gone}
          </p>
        ) : (
          <img src={url} alt={w.shown(sourceName(sighting, cameras.value), at + 1, count)} onError={() => setGone(url)} />
        )}
        {boxShown.value && show !== 'region' && frame.bbox && <BoxOverlay bbox={frame.bbox} />}
      </div>
      <svg class="strip-graph" role="img" aria-label={w.graph} viewBox="0 0 100 100" preserveAspectRatio="none">
        <line class="strip-alarm" x1={line.evidence} x2={line.evidence} y1="0" y2="100" />
        <polyline points={line.points} />
        <line class="strip-cursor" x1={line.at[at] ?? 0} x2={line.at[at] ?? 0} y1="0" y2="100" />
      </svg>
      <figcaption class="picture-bar">
        <span>
          {clockTime(ms(frame.captured_at))} {w.seconds(fromAlarm(frames, at))}, {w.score(frame.score)}
        </span>
        <span class="picture-steps">
          <button type="button" class="tool" onClick={() => step(-1)} aria-label={w.back} title={w.back}>
            <Left size={13} />
          </button>
          <button type="button" class="tool" data-action="play" onClick={() => setPlaying(!playing)}>
            {playing ? w.pause : w.play}
          </button>
          <button type="button" class="tool" onClick={() => step(1)} aria-label={w.forward} title={w.forward}>
            <Right size={13} />
          </button>
        </span>
        <button type="button" class="tool" aria-pressed={boxShown.value} onClick={() => (boxShown.value = !boxShown.value)} title="B">
          <Box size={13} /> {w.box}
        </button>
        <button type="button" class="tool" data-action="region" aria-pressed={show === 'region'} onClick={toggle('region')} title={w.regionHint}>
          <Zoom size={13} /> {w.region}
        </button>
        <button type="button" class="tool" data-action="difference" aria-pressed={show === 'difference'} onClick={toggle('difference')} title={w.differenceHint}>
          {w.difference}
        </button>
      </figcaption>
    </figure>
  );
}

/** What is there now: this camera's picture, and those of others that look there. */
function Live({ strip }: { strip: Strip }) {
  const w = stripWords();
  const stamp = (id: string): string | null => cameras.value.get(id)?.last_frame_at ?? null;
  const live = [
    { id: strip.camera, words: w.now },
    ...strip.others.map(({ id, name, distance_m }) => ({ id, words: distance_m === null ? name : `${name} ${w.km(distance_m)}` })),
  ].filter(({ id }) => stamp(id) !== null);
  if (!live.length) return null;
  return (
    <ul class="strip-live" aria-label={w.others}>
      {live.map(({ id, words }) => (
        <li key={id}>
          <img src={frameUrl(id, stamp(id))} alt={words} />
          <span>{words}</span>
        </li>
      ))}
    </ul>
  );
}
