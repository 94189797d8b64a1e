/** What the ranger found, and how it ended. */
import { useState } from 'preact/hooks';
import { pictureUrl, whyGone } from '../../shared/api';
import { board } from '../../shared/board';
import { category } from '../../shared/describe';
import { Field } from '../../shared/ui';
import { common } from '../../shared/words';
import { words } from '../words';
import type { Incident } from '../../shared/types';

export function ReportOf({ incident: { verification, closure, state } }: { incident: Incident }) {
  const w = words();
  const c = common();
  const categories = board.value?.categories ?? [];
  return (
    <>
      {verification && (
        <section>
          <h2 class="section">{w.report}</h2>
          <dl class="facts">
            <Field name={w.category}>
              <b>{category(verification.category, categories)}</b>
              {verification.extinguished !== null && ` · ${verification.extinguished ? w.yes : w.no}`}
            </Field>
            {verification.flames && <Field name={w.flames}>{c.flames[verification.flames]}</Field>}
            {verification.area_mu !== null && <Field name={w.area}>{w.mu(String(verification.area_mu))}</Field>}
            {verification.words && <Field name={w.words}>{verification.words}</Field>}
            <Field name={w.photos}>
              {verification.photos.length > 0 ? (
                <span class="photos">
                  {verification.photos.map((id, i) => (
                    <Photo key={id} id={id} alt={`${w.photos} ${i + 1}`} />
                  ))}
                </span>
              ) : (
                w.noPhotos(verification.no_photo_reason ?? '')
              )}
            </Field>
          </dl>
        </section>
      )}
      {state === 'closed' && closure && (
        <p class="closed-line">
          {w.closedNow} · {category(closure.category, categories)}
          {closure.false_alarm && ` · ${c.falseAlarm[closure.false_alarm]}`}
          {closure.words && ` · ${closure.words}`}
        </p>
      )}
    </>
  );
}

/** One that has been removed for good says so. */
function Photo({ id, alt }: { id: string; alt: string }) {
  const [gone, setGone] = useState('');
  if (gone) return <span>{gone}</span>;
  return (
    <a href={pictureUrl(id)} target="_blank" rel="noreferrer">
      <img src={pictureUrl(id)} alt={alt} loading="lazy" onError={() => void whyGone(id).then(setGone)} />
    </a>
  );
}
