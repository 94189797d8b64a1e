/** The prefecture: one line for each county, those that need somebody first. What is behind a line is on the county's own board. */
import '../shared/base.css';
import './counties.css';
import { signal } from '@preact/signals';
import { render } from 'preact';
import { partName } from '../office/say/parts';
import { getTimed } from '../shared/api';
import { now, startTicking } from '../shared/clock';
import { failure } from '../shared/describe';
import { announceLang, lang } from '../shared/lang';
import { clockTime, ms, span } from '../shared/time';
import { Failed, LanguageButton, Loading } from '../shared/ui';
import { common } from '../shared/words';
import { sumOf, toneOf } from './state';
import type { AtWork, CountyLine, Missed, Overview, Part } from './types';
import { words } from './words';

const REFRESH_MS = 10_000;
const RETRY_MS = 5000;

const overview = signal<Overview | null>(null);
const problem = signal<string | null>(null);
/** Since when reading fails, by the server's clock. */
const brokenAt = signal(0);
let again: ReturnType<typeof setTimeout> | undefined;

async function load(): Promise<void> {
  clearTimeout(again);
  try {
    overview.value = await getTimed<Overview>('/counties');
    problem.value = null;
  } catch (error) {
    if (problem.value === null) brokenAt.value = now.peek();
    problem.value = failure(error);
  }
  again = setTimeout(() => void load(), problem.value === null ? REFRESH_MS : RETRY_MS);
}

function Counties() {
  const w = words();
  const all = overview.value;
  return (
    <main class="counties">
      <header>
        <h1>{w.title}</h1>
        {all && <Sums of={all} />}
        <time>{clockTime(now.value)}</time>
        <LanguageButton class="link" />
      </header>
      {problem.value !== null && <Failed words={problem.value} since={brokenAt.value} retry={() => void load()} />}
      {!all && problem.value === null && <Loading />}
      {all && <Faults of={all.health.filter((it) => !it.ok)} />}
      {all && all.counties.length === 0 && <p class="counties-none">{w.none}</p>}
      {all && all.counties.length > 0 && (
        <table class={problem.value === null ? '' : 'counties-old'}>
          <thead>
            <tr>
              {[w.county, w.open, w.missed, w.cameras, w.edges, w.faults].map((name) => (
                <th key={name}>{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {all.counties.map((line) => (
              <Line key={line.code} line={line} />
            ))}
          </tbody>
        </table>
      )}
    </main>
  );
}

function Sums({ of }: { of: Overview }) {
  const w = words();
  const { counties, lost, late, open } = sumOf(of);
  const all = [w.sum(counties, open), ...(lost > 0 ? [w.lost(lost)] : []), ...(late > 0 ? [w.late(late)] : [])];
  return <p role="status">{all.join(' · ')}</p>;
}

function Line({ line }: { line: CountyLine }) {
  const w = words();
  const tone = toneOf(line);
  const name = line.url ? (
    <a href={`${line.url}/office`} title={w.openBoard}>
      {line.name}
    </a>
  ) : (
    line.name
  );
  return (
    <tr class={`county-${tone}`} data-tone={tone}>
      <th scope="row">{name}</th>
      {line.at_work ? <Numbers of={line.at_work} /> : <td colSpan={5}>{line.why}</td>}
    </tr>
  );
}

function Numbers({ of: it }: { of: AtWork }) {
  const w = words();
  return (
    <>
      <td>
        {it.open}
        {it.drills > 0 && <small> {w.drills(it.drills)}</small>}
      </td>
      <td>{it.missed && <Late missed={it.missed} />}</td>
      <td>{w.silent(it.silent_cameras, it.cameras)}</td>
      <td>{w.unwell(it.unwell_edges, it.edges)}</td>
      <td>{it.faults.length > 0 ? <Faults of={it.faults} /> : w.well}</td>
    </>
  );
}

function Late({ missed: { code, place, what, at } }: { missed: Missed }) {
  const w = words();
  const time = span(now.value - ms(at));
  return (
    <>
      <b>{common().overdueStage[what]}</b> {what === 'review' ? w.waits(time) : w.ago(time)}
      <small>
        {' '}
        {code} {place}
      </small>
    </>
  );
}

function Faults({ of }: { of: Part[] }) {
  return (
    <ul class="counties-faults">
      {of.map(({ part, words: why }) => (
        <li key={part} title={why}>
          <b>{partName(part)}</b> {why}
        </li>
      ))}
    </ul>
  );
}

announceLang();
startTicking();
// The server writes sentences in the reader's language.
lang.subscribe(() => void load());
render(<Counties />, document.getElementById('app')!);
