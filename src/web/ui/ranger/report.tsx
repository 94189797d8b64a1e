/** The report: one screen, no typing needed; what is filled in is a draft until it is sent. The words go first, photos follow. */
import { useState } from 'preact/hooks';
import { Warning } from '../shared/icons';
import { lang } from '../shared/lang';
import { common } from '../shared/words';
import { Choice } from './choice';
import { discard, formOf, keepPhoto, photosOf, submit, write, type Form } from './draft';
import { Photos } from './photos';
import { go, outbox, view } from './state';
import { words } from './words';
import type { Category, Flames, RangerIncident } from '../shared/types';

/** Code 7, "other", says nothing by itself. */
const OTHER = 7;
const flames: readonly Flames[] = ['none', 'small', 'large'];

export function Report({ incident }: { incident: RangerIncident }) {
  const w = words();
  const c = common();
  const form = formOf(incident);
  const photos = photosOf(incident.id);
  const [reasons, setReasons] = useState(form.noPhoto !== null);
  const [hint, setHint] = useState('');
  const category = view.value?.categories.find((it) => it.code === form.category) ?? null;
  const fill = (change: Partial<Form>): void => {
    setHint('');
    write(incident, change);
  };
  const missing = (): string => {
    if (!category) return w.needCategory;
    if (!category.interim && photos.length === 0 && !form.noPhoto) return w.needPhoto;
    return category.code === OTHER && !form.note.trim() ? w.needNote : '';
  };
  const send = (): void => {
    const lacking = missing();
    setHint(lacking);
    if (lacking || !category) return;
    const mu = Number(form.area.replace(',', '.'));
    submit(incident, {
      category: category.code,
      words: form.note.trim(),
      photos: photos.length,
      ...(form.flames ? { flames: form.flames } : {}),
      ...(form.out !== null ? { extinguished: form.out } : {}),
      ...(mu > 0 ? { area_mu: mu } : {}),
      ...(photos.length === 0 && form.noPhoto ? { no_photo_reason: form.noPhoto } : {}),
      ...(category.interim ? { interim: true } : {}),
    });
    go(`/i/${incident.id}`);
  };
  return (
    <form class="report" onSubmit={(event) => event.preventDefault()}>
      <div class="scroll">
        <p class="safety">{w.safety}</p>
        <Photos photos={photos} onAdd={(photo) => keepPhoto(incident, photo)} onRemove={({ key }) => outbox.drop(key)} />
        {photos.length === 0 && !reasons && (
          <button type="button" class="more" onClick={() => setReasons(true)}>
            {w.noPhoto}
          </button>
        )}
        {photos.length === 0 && reasons && <Choice title={w.noPhoto} options={w.noPhotoReasons.map((it) => [it, it])} chosen={form.noPhoto} onChoose={(noPhoto) => fill({ noPhoto })} small />}
        <Categories chosen={category} onChoose={(it) => fill({ category: it?.code ?? null })} />
        {category?.fire && (
          <>
            <Choice title={w.flames} options={flames.map((it) => [it, c.flames[it]])} chosen={form.flames} onChoose={(it) => fill({ flames: it })} />
            <Choice
              title={w.out}
              options={[
                ['yes', w.isOut],
                ['no', w.notOut],
              ]}
              chosen={form.out === null ? null : form.out ? 'yes' : 'no'}
              onChoose={(it) => fill({ out: it === null ? null : it === 'yes' })}
            />
            <label class="entry">
              {w.area}
              <input inputMode="decimal" value={form.area} onInput={(event) => fill({ area: event.currentTarget.value })} />
            </label>
          </>
        )}
        <label class="entry">
          {category?.code === OTHER ? w.noteNeeded : w.note}
          <textarea rows={2} maxLength={300} value={form.note} onInput={(event) => fill({ note: event.currentTarget.value })} />
        </label>
        <button type="button" class="more" onClick={() => confirm(w.discardSure) && discard(incident.id)}>
          {w.discardAll}
        </button>
      </div>
      <div class="dock">
        {hint && (
          <p class="dock-hint" role="alert">
            <Warning size={18} /> {hint}
          </p>
        )}
        <button type="button" class="primary green" data-primary="submit" onClick={send}>
          {w.submit}
        </button>
      </div>
    </form>
  );
}

function Categories({ chosen, onChoose }: { chosen: Category | null; onChoose: (category: Category | null) => void }) {
  const w = words();
  const [all, setAll] = useState(false);
  const offered = (view.value?.categories ?? []).filter((it) => !it.officer_only);
  const first = offered.filter((it) => it.first_page || it.interim);
  const shown = all ? offered : first;
  return (
    <>
      <Choice
        title={w.what}
        options={shown.map((it) => [String(it.code), it[lang.value]])}
        chosen={chosen && String(chosen.code)}
        onChoose={(code) => onChoose(offered.find((it) => String(it.code) === code) ?? null)}
        big
      />
      {!all && offered.length > first.length && (
        <button type="button" class="more" onClick={() => setAll(true)}>
          {w.moreCategories}
        </button>
      )}
    </>
  );
}
