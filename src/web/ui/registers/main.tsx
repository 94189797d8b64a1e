import '../shared/base.css';
import '../office/frame.css';
import './registers.css';
import './calendar.css';
import './pane.css';
import { effect } from '@preact/signals';
import { render } from 'preact';
import { now, startTicking } from '../shared/clock';
import { Brand, Warning } from '../shared/icons';
import { announceLang } from '../shared/lang';
import { clockTime } from '../shared/time';
import { Failed, LanguageButton, Loading } from '../shared/ui';
import { common } from '../shared/words';
import { Bring } from './bring';
import { Calendar } from './rota';
import { EntryForm } from './entry';
import { History } from './history';
import { registers } from './fields';
import { Review } from './review';
import { Shift } from './shift';
import { asOf, busy, choose, chosen, drop, goTo, load, look, made, mayChange, me, plan, problem, show, shown, start, task, undoing, view } from './state';
import { Table } from './table';
import { Toolbar } from './toolbar';
import { words } from './words';

function Header() {
  const w = words();
  return (
    <header class="header">
      <span class="brand">
        <Brand /> <b>{common().product}</b> <span class="county">{w.title}</span> <span class="county">{me.value?.county}</span>
      </span>
      <nav class="faces" aria-label={common().product}>
        <a class="header-button" href="/office">
          {w.board}
        </a>
        <a class="header-button" href="/ops">
          {w.ops}
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

function Registers() {
  const w = words();
  return (
    <nav class="shelf" aria-label={w.registers}>
      <ul>
        {registers.map((it) => (
          <li key={it}>
            <button type="button" class="shelf-one" aria-current={chosen.value === it ? 'page' : undefined} data-register={it} onClick={() => choose(it)}>
              {w.of[it]}
            </button>
          </li>
        ))}
      </ul>
      <button type="button" class="shelf-one shelf-history" data-action="all-history" onClick={() => show({ kind: 'history', register: null, key: null })}>
        {w.history}
      </button>
    </nav>
  );
}

/** What was just done, and the way back. */
function Made() {
  const w = words();
  const it = made.value;
  if (!it) return null;
  return (
    <p class="made" role="status" data-made={it.number}>
      <span>
        <b>{it.title}</b> {w.done(it.number)}
      </span>
      <button type="button" class="link" data-action="undo-made" disabled={busy.value} onClick={() => void look(undoing(it.number, it.register))}>
        {w.undo}
      </button>
    </p>
  );
}

function Main() {
  const w = words();
  const isRota = chosen.value === 'duty' && shown.value === 'calendar' && asOf.value === null;
  return (
    <section class="list" aria-label={w.of[chosen.value]}>
      <Toolbar />
      <Made />
      {asOf.value !== null && (
        <p class="note note-then" role="status">
          {w.asOfShown(asOf.value)}
          <button type="button" class="link" onClick={() => goTo(null)}>
            {w.backToNow}
          </button>
        </p>
      )}
      {view.value && !mayChange.value && asOf.value === null && <p class="note">{chosen.value === 'county' ? w.countyHint : w.readOnly}</p>}
      {problem.value && view.value && (
        <p class="note note-bad" role="alert">
          <Warning size={14} /> {problem.value}
        </p>
      )}
      {view.value ? isRota ? <Calendar /> : <Table /> : problem.value ? <Failed words={problem.value} retry={() => void load()} /> : <Loading />}
    </section>
  );
}

function Pane() {
  const it = task.value;
  const open = it !== null || plan.value !== null;
  if (!open) return null;
  return (
    <aside class="pane" aria-label={words().review} data-task={plan.value ? 'review' : it?.kind}>
      {/* The form stays underneath with what was typed, for the way back from the review. */}
      <div hidden={plan.value !== null} class="pane-form">
        {it?.kind === 'edit' && <EntryForm key={`${chosen.value} ${it.key ?? 'new'} ${it.base['date'] ?? ''}`} task={it} />}
        {it?.kind === 'shift' && <Shift id={it.key} />}
        {it?.kind === 'bring' && <Bring key={chosen.value} />}
        {it?.kind === 'history' && <History task={it} />}
      </div>
      {plan.value && <Review />}
    </aside>
  );
}

function Page() {
  return (
    <div class="registers" data-pane={task.value !== null || plan.value !== null || undefined}>
      <Header />
      <main class="registers-main">
        <Registers />
        <Main />
        <Pane />
      </main>
    </div>
  );
}

announceLang();
startTicking();
addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.isComposing) return;
  // From a review back to what was typed; a form closes by its own button.
  if (plan.value) drop();
  else if (task.value?.kind === 'shift' || task.value?.kind === 'history') show(null);
});
effect(() => void (document.title = `${words().title} · ${common().product}`));
render(<Page />, document.getElementById('app')!);
void start();
