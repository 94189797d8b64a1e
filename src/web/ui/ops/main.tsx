import '../shared/base.css';
import '../office/frame.css';
import './ops.css';
import { render } from 'preact';
import { now, startTicking } from '../shared/clock';
import { Brand } from '../shared/icons';
import { announceLang } from '../shared/lang';
import { clockTime } from '../shared/time';
import { LanguageButton } from '../shared/ui';
import { common } from '../shared/words';
import { Cameras } from './cameras';
import { Chart } from './chart';
import { EyePane } from './eye';
import { LookAlikesPane } from './lookalikes';
import { PatrolPane } from './patrol';
import { PointTable } from './points';
import { ProofPane } from './proof';
import { Publish } from './publish';
import { brokenAt, cameras, chosen, current, hours, me, periods, problem, scores, start } from './state';
import { SelfTestPane } from './self_test';
import { Scope, Tune } from './tune';
import { words } from './words';

function Header() {
  const w = words();
  const all = cameras.value ?? [];
  return (
    <header class="header">
      <span class="brand">
        <Brand /> <b>{common().product}</b> <span class="county">{w.title}</span> <span class="county">{me.value?.county}</span>
      </span>
      <span class="count">{`${w.cameras} ${w.count(all.filter((camera) => camera.health === 'ok').length, all.length)}`}</span>
      {current.value && <span class="count">{w.thresholdsVersion(current.value.version)}</span>}
      <nav class="faces" aria-label={common().product}>
        <a class="header-button" href="/office">
          {w.board}
        </a>
        <a class="header-button" href="/registers">
          {w.registers}
        </a>
      </nav>
      <span class="header-right">
        <span class="duty">{me.value?.name}</span>
        <LanguageButton class="header-button" />
        <time class="clock">{clockTime(now.value)}</time>
      </span>
    </header>
  );
}

function Detail() {
  const w = words();
  const camera = chosen.value;
  if (!camera) return null;
  const items = scores.value?.items ?? [];
  const peak = (key: 'smoke' | 'fire'): string => items.reduce((most, it) => Math.max(most, it[key]), 0).toFixed(2);
  return (
    <section class="detail-pane" aria-label={camera.name}>
      <div class="detail-head">
        <h1>{camera.name}</h1>
        <Scope />
        <div class="segments" role="group" aria-label={w.hours}>
          {periods.map((period) => (
            <button key={period} type="button" aria-pressed={hours.value === period} onClick={() => (hours.value = period)}>
              {w.period[period]}
            </button>
          ))}
        </div>
      </div>
      <h2>
        {w.overTime}
        <small class="key">
          <i class="key-smoke" /> {w.smoke} <i class="key-fire" /> {w.fire}
        </small>
        {items.length > 0 && <small>{w.peak(peak('smoke'), peak('fire'))}</small>}
        {scores.value?.model && <small>{w.model(scores.value.model.name, scores.value.model.version)}</small>}
      </h2>
      <Chart name={camera.name} />
      <ProofPane camera={camera.id} />
      <PatrolPane camera={camera.id} />
      <SelfTestPane key={camera.id} camera={camera} />
      <PointTable />
      <Tune />
      <Publish />
    </section>
  );
}

function Ops() {
  return (
    <div class="ops">
      <Header />
      <div class="bars">{problem.value && cameras.value && <p class="bar bar-red" role="alert">{`${problem.value} · ${common().brokenSince(clockTime(brokenAt.value))}`}</p>}</div>
      <main class="ops-main">
        <section class="camera-pane" aria-label={words().cameras}>
          <Cameras />
          <EyePane />
          <LookAlikesPane />
        </section>
        <Detail />
      </main>
    </div>
  );
}

announceLang();
startTicking();
render(<Ops />, document.getElementById('app')!);
void start();
document.title = `${words().title} · ${common().product}`;
