/** Making a trial live: said who, when, why; and back again with one press. */
import { useState } from 'preact/hooks';
import { date } from '../shared/describe';
import { hourMinute, ms } from '../shared/time';
import { Failed } from '../shared/ui';
import { common } from '../shared/words';
import { shown } from './point';
import { changed, current, draft, edit, failedAt, history, loadHistory, publish, publishedVersion } from './state';
import { words } from './words';
import type { Published } from '../shared/types';

export function Publish() {
  const w = words();
  const [reason, setReason] = useState('');
  const [asking, setAsking] = useState(false);
  const version = (current.value?.version ?? 0) + 1;
  const send = async (): Promise<void> => {
    setAsking(false);
    if (await publish(reason.trim())) setReason('');
  };
  return (
    <section class="publish">
      <h2>{w.publish}</h2>
      {asking ? (
        <div class="asking" role="alertdialog" aria-label={w.sure}>
          <p>{w.sure}</p>
          <button type="button" class="button" onClick={() => setAsking(false)}>
            {common().cancel}
          </button>
          <button type="button" class="button button-red" data-action="confirm-publish" onClick={() => void send()}>
            {w.confirm}
          </button>
        </div>
      ) : (
        <div class="asking">
          <input type="text" maxLength={200} aria-label={w.reason} placeholder={w.reasonPlaceholder} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
          <button type="button" class="button button-blue" disabled={!changed.value || !reason.trim()} data-action="publish" onClick={() => setAsking(true)}>
            {w.publishVersion(version)}
          </button>
        </div>
      )}
      {publishedVersion.value !== null && (
        <p class="done" role="status">
          {w.published(publishedVersion.value)}
        </p>
      )}
      <History />
    </section>
  );
}

function History() {
  const w = words();
  const failed = failedAt('thresholds');
  if (!history.value) return failed ? <Failed words={failed} retry={() => void loadHistory()} /> : <p class="quiet">{common().loading}</p>;
  if (history.value.length === 0) return <p class="quiet">{w.noHistory}</p>;
  return (
    <table class="history">
      <caption>{w.history}</caption>
      <thead>
        <tr>
          <th>{w.version}</th>
          <th>{w.values}</th>
          <th>{w.by}</th>
          <th>{w.at}</th>
          <th>{w.reason}</th>
          <th />
        </tr>
      </thead>
      <tbody>
        {history.value.map((it) => (
          <Row key={it.thresholds.version} it={it} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ it: { thresholds, by, at, reason, counted_frames } }: { it: Published }) {
  const w = words();
  const live = thresholds.version === current.value?.version;
  // A roll-back is a new version with old values: the log only grows.
  const back = (): void => edit({ ...thresholds, version: draft.value?.version ?? thresholds.version });
  return (
    <tr>
      <td>{thresholds.version}</td>
      <td class="mono">
        {shown(thresholds)} {counted_frames && <small>{w.countedFrames}</small>}
      </td>
      <td>{by}</td>
      <td>
        {date(ms(at))} {hourMinute(ms(at))}
      </td>
      <td class="why">{reason}</td>
      <td>
        {live ? (
          <b class="good">{w.current}</b>
        ) : (
          <button type="button" class="link" onClick={back}>
            {w.rollBack}
          </button>
        )}
      </td>
    </tr>
  );
}
