import '../shared/base.css';
import './ranger.css';
import './incident.css';
import './report.css';
import { render } from 'preact';
import { apart, now, startTicking } from '../shared/clock';
import { Brand, Gear, Left, List, Phone, Task } from '../shared/icons';
import { announceLang } from '../shared/lang';
import { span } from '../shared/time';
import { classes } from '../shared/ui';
import { common } from '../shared/words';
import { announced, front } from './front';
import { IncidentPage } from './incident';
import { Records } from './records';
import { Report } from './report';
import { unlockOnTouch } from './ring';
import { Settings } from './settings';
import { connected, go, route, start, stage, view } from './state';
import { Strip } from './strip';
import { Tasks } from './tasks';
import { registerWorker } from './worker';
import { words } from './words';
import type { ComponentChildren } from 'preact';

function Ranger() {
  const [, page, id, sub] = route.value.split('/');
  if (page === 'records') return <Frame tab="records">{<Records />}</Frame>;
  if (page === 'settings') return <Frame tab="settings">{<Settings />}</Frame>;
  const wanted = page === 'i' ? id : page === '' ? front.value : null;
  const incident = view.value?.incidents.find((it) => it.id === wanted);
  if (!incident) return <Frame tab="tasks">{<Tasks />}</Frame>;
  if (sub === 'report' && stage(incident) === 'arrived') return <Frame>{<Report incident={incident} key={incident.id} />}</Frame>;
  return (
    <Frame tab={page === '' ? 'tasks' : undefined}>
      <IncidentPage incident={incident} key={incident.id} />
    </Frame>
  );
}

type Tab = 'tasks' | 'records' | 'settings';

function Frame({ tab, children }: { tab?: Tab | undefined; children: ComponentChildren }) {
  const w = words();
  const phone = view.value?.duty_phone;
  return (
    <div class="phone">
      <header class="top">
        {tab ? (
          <span class="top-brand">
            <Brand size={26} />
          </span>
        ) : (
          <button type="button" class="top-button" onClick={() => history.length > 1 ? history.back() : go('/')} aria-label={w.back}>
            <Left size={24} />
          </button>
        )}
        <span class="top-name">{view.value?.me.name ?? common().product}</span>
        <span class={classes('line', connected.value ? 'line-on' : 'line-off')} role="status">
          {connected.value ? w.online : w.offline}
        </span>
        {phone && (
          <a class="top-button" href={`tel:${phone}`} aria-label={w.call}>
            <Phone size={22} />
          </a>
        )}
      </header>
      <Strip />
      <Announced />
      {apart.value !== null && (
        <p class="notice" role="status" data-notice="clock">
          {common().clocksApart(span(Math.abs(apart.value)))}
        </p>
      )}
      <main class="body">{children}</main>
      {tab && <Tabs tab={tab} />}
    </div>
  );
}

/** An order that came while another is worked on: said above it, opened by a tap. */
function Announced() {
  const [first, ...more] = announced.value;
  return (
    <div role="alert">
      {first && (
        <a class="announced" href={`#/i/${first.id}`} data-announced={first.id}>
          {words().newTask} {first.code} {first.place.name}
          {more.length > 0 && ` +${more.length}`}
        </a>
      )}
    </div>
  );
}

const tabIcon = { tasks: Task, records: List, settings: Gear };

function Tabs({ tab }: { tab: Tab }) {
  const w = words();
  return (
    <nav class="tabs">
      {(['tasks', 'records', 'settings'] as const).map((name) => {
        const Icon = tabIcon[name];
        return (
          <a key={name} href={name === 'tasks' ? '#/' : `#/${name}`} onClick={() => (front.value = null)} aria-current={tab === name ? 'page' : undefined}>
            <Icon size={20} />
            {w.tabs[name]}
          </a>
        );
      })}
    </nav>
  );
}

announceLang();
startTicking();
unlockOnTouch();
void registerWorker();
// Rendered from the phone's memory first; the server's answer follows.
render(<Ranger />, document.getElementById('app')!);
void start();
now.subscribe(() => undefined);
document.title = words().title;
