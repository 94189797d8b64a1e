/** The foot of the pane: the actions the state allows, the panel of the chosen one, and what became of them. */
import { useEffect, useState } from 'preact/hooks';
import { Cross, Tick } from '../../shared/icons';
import { classes } from '../../shared/ui';
import { common } from '../../shared/words';
import { act, allowed, drop, openPanel, panel, send, tasks, type Panel, type Task } from '../desk';
import { words } from '../words';
import { DispatchPanel } from './dispatch';
import { Chips, ClosePanel, NotePanel } from './panels';
import { falseAlarms, type Incident } from '../../shared/types';

const keyOf: Partial<Record<Panel, string>> = { dispatch: 'D', 'false-alarm': 'F', acknowledge: 'A', close: 'X' };

export function Actions({ incident }: { incident: Incident }) {
  const w = words();
  const open = panel.value;
  const dispatched = incident.dispatch !== null && incident.state !== 'needs_review';
  const name: Record<Panel, string> = {
    dispatch: dispatched ? w.reassign : w.dispatch,
    'false-alarm': w.falseAlarm,
    acknowledge: w.onBehalf,
    'send-back': w.sendBack,
    close: w.approve,
    note: w.note,
  };
  const primary: Panel = incident.state === 'reported' ? 'close' : 'dispatch';
  return (
    <footer class="actions">
      <Tasks incident={incident} />
      {open && <PanelOf which={open} incident={incident} title={name[open]} />}
      <div class="buttons">
        {allowed(incident).map((which) => (
          <button
            key={which}
            type="button"
            class={classes('button', which === primary && !dispatched && 'button-red', which === primary && incident.state === 'reported' && 'button-green')}
            aria-expanded={open === which}
            data-action={which}
            onClick={() => openPanel(which)}
          >
            {name[which]} {keyOf[which] && <kbd>{which === 'dispatch' && dispatched ? 'R' : keyOf[which]}</kbd>}
          </button>
        ))}
      </div>
    </footer>
  );
}

function PanelOf({ which, incident, title }: { which: Panel; incident: Incident; title: string }) {
  const w = words();
  const c = common();
  switch (which) {
    case 'dispatch':
      return <DispatchPanel incident={incident} />;
    case 'note':
      return <NotePanel incident={incident} />;
    case 'false-alarm':
      return (
        <Chips
          title={w.falseAlarmWhy}
          options={falseAlarms.map((it) => [it, c.falseAlarm[it]])}
          onChoose={(reason, word) => act(incident, 'false-alarm', { reason }, `${title} ${word}`, true)}
        />
      );
    case 'acknowledge':
      return <Chips title={w.onBehalfWhy} options={w.onBehalfReasons.map((it) => [it, it])} onChoose={(reason) => act(incident, 'acknowledge', { reason }, title)} />;
    case 'send-back':
      return <Chips title={w.sendBackWhy} options={w.sendBackReasons.map((it) => [it, it])} onChoose={(reason) => act(incident, 'send-back', { reason }, title)} />;
    case 'close':
      return <ClosePanel incident={incident} />;
  }
}

function Tasks({ incident }: { incident: Incident }) {
  // Tasks of other incidents stay visible too: a failure must not hide behind a click.
  const shown = tasks.value.filter((task) => task.incident === incident.id || task.status !== 'done');
  return (
    <div class="tasks" aria-live="polite">
      {shown.map((task) => (
        <TaskLine key={task.key} task={task} />
      ))}
    </div>
  );
}

function TaskLine({ task }: { task: Task }) {
  const w = words();
  const [, redraw] = useState(0);
  useEffect(() => {
    if (task.status !== 'waiting') return;
    const timer = setInterval(() => redraw((n) => n + 1), 250);
    return () => clearInterval(timer);
  }, [task.status]);
  return (
    <div class={`task task-${task.status}`} data-task={task.status}>
      {task.status === 'waiting' && (
        <>
          <span>{w.undoIn(task.what, Math.max(0, Math.ceil((task.dueAt - Date.now()) / 1000)))}</span>
          <button type="button" class="link" onClick={() => drop(task)}>
            {w.undo}
          </button>
        </>
      )}
      {task.status === 'sending' && <span>{`${task.what} · ${w.sending}`}</span>}
      {task.status === 'done' && (
        <span>
          <Tick size={13} /> {task.what} {task.path && (task.path.endsWith('/dispatch') ? w.ordered : w.recorded)}
        </span>
      )}
      {task.status === 'failed' && (
        <>
          <span>
            <Cross size={13} /> {w.failedAction(task.what, task.why)}
          </span>
          <button type="button" class="link" onClick={() => void send(task)}>
            {common().retry}
          </button>
          <button type="button" class="link" onClick={() => drop(task)}>
            {w.dismiss}
          </button>
        </>
      )}
    </div>
  );
}
