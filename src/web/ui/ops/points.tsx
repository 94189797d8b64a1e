/** The model's operating points side by side, with what its evaluation expects. Choosing one fills the trial, no more. */
import { classes } from '../shared/ui';
import { interval, numbersOf, percent, pointNames, pointOf, rough, shown, times } from './point';
import { cameras, cameraSendsAfter, current, draft, edit, points } from './state';
import { words } from './words';
import type { Estimate, Point } from '../shared/types';

export function PointTable() {
  const w = words();
  const [all, live, trial] = [points.value, current.value, draft.value];
  if (!all || !live || !trial) return null;
  const [inForce, tried] = [pointOf(all, live), pointOf(all, trial)];
  const count = cameras.value?.length ?? 0;
  const sends = cameraSendsAfter.value;
  const here = ({ expected }: Point): Estimate => times(expected.false_alarms_per_camera_day, count);
  const rows: [string, (point: Point) => Estimate, (value: number) => string][] = [
    [w.falseAlarms, ({ expected }) => expected.false_alarms_per_camera_day, rough],
    [w.falseAlarmsHere(count), here, rough],
    [w.recall, ({ expected }) => expected.event_recall, percent],
    [w.minutesToAlarm, ({ expected }) => expected.minutes_to_alarm, rough],
  ];
  return (
    <section class="points">
      <h2>
        {w.points} <small>{w.pointsHint}</small>
      </h2>
      <table>
        <thead>
          <tr>
            <td>{inForce === null && <small>{w.ownNumbers}</small>}</td>
            {pointNames.map((name) => (
              <th key={name} scope="col">
                <button type="button" data-point={name} aria-pressed={tried === name} onClick={() => edit(numbersOf(all[name]))}>
                  {w.point[name]} {name === inForce && <small>{w.current}</small>}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([title, of, show]) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              {pointNames.map((name) => (
                <Figure key={name} estimate={of(all[name])} show={show} tried={tried === name} />
              ))}
            </tr>
          ))}
          <tr>
            <th scope="row">{w.values}</th>
            {pointNames.map((name) => (
              <td key={name} class={tint(tried === name)}>
                {shown(all[name])}
              </td>
            ))}
          </tr>
        </tbody>
      </table>
      {sends !== null && (
        <p class="warning" role="note" data-sends>
          {w.cameraSends(sends, inForce && `${rough(here(all[inForce]).value)} (${interval(here(all[inForce]), rough)})`)}
        </p>
      )}
      <p class="quiet">{w.pointsFigures}</p>
    </section>
  );
}

const tint = (tried: boolean): string => classes(tried && 'tried');

function Figure({ estimate, show, tried }: { estimate: Estimate; show: (value: number) => string; tried: boolean }) {
  return (
    <td class={tint(tried)}>
      <b>{show(estimate.value)}</b> <small>({interval(estimate, show)})</small>
    </td>
  );
}
