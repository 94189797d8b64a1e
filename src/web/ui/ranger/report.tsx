/** The report: one screen, no typing needed. The words go first; photos follow by themselves. */
import { useEffect, useState } from 'preact/hooks';
import { Warning } from '../shared/icons';
import { lang } from '../shared/lang';
import { common } from '../shared/words';
import { Choice } from './choice';
import { Photos } from './photos';
import { go, tap, view } from './state';
import { words } from './words';
import type { Category, Flames, RangerIncident } from '../shared/types';

/** Code 7, "other", says nothing by itself. */
const OTHER = 7;
const flames: readonly Flames[] = ['none', 'small', 'large'];

export function Report({ incident }: { incident: RangerIncident }) {
  const w = words();
  const c = common();
  const [photos, setPhotos] = useState<Blob[]>([]);
  const [noPhoto, setNoPhoto] = useState<string | null>(null);
  const [category, setCategory] = useState<Category | null>(null);
  const [flame, setFlame] = useState<Flames | null>(null);
  const [out, setOut] = useState<boolean | null>(null);
  const [area, setArea] = useState('');
  const [note, setNote] = useState('');
  const [reasons, setReasons] = useState(false);
  const [hint, setHint] = useState('');
  useEffect(() => setHint(''), [category, photos, noPhoto, note]);

  const missing = (): string => {
    if (!category) return w.needCategory;
    if (!category.interim && photos.length === 0 && !noPhoto) return w.needPhoto;
    return category.code === OTHER && !note.trim() ? w.needNote : '';
  };
  const submit = async (): Promise<void> => {
    const lacking = missing();
    setHint(lacking);
    if (lacking || !category) return;
    const mu = Number(area.replace(',', '.'));
    await tap('report', incident, {
      category: category.code,
      words: note.trim(),
      photos: photos.length,
      ...(flame ? { flames: flame } : {}),
      ...(out !== null ? { extinguished: out } : {}),
      ...(mu > 0 ? { area_mu: mu } : {}),
      ...(photos.length === 0 && noPhoto ? { no_photo_reason: noPhoto } : {}),
      ...(category.interim ? { interim: true } : {}),
    });
    for (const photo of photos) await tap('photo', incident, {}, photo);
    go(`/i/${incident.id}`);
  };
  return (
    <form class="report" onSubmit={(event) => event.preventDefault()}>
      <div class="scroll">
        <p class="safety">{w.safety}</p>
        <Photos photos={photos} onChange={setPhotos} />
        {photos.length === 0 && !reasons && (
          <button type="button" class="more" onClick={() => setReasons(true)}>
            {w.noPhoto}
          </button>
        )}
        {photos.length === 0 && reasons && <Choice title={w.noPhoto} options={w.noPhotoReasons.map((it) => [it, it])} chosen={noPhoto} onChoose={setNoPhoto} small />}
        <Categories chosen={category} onChoose={setCategory} />
        {category?.fire && (
          <>
            <Choice title={w.flames} options={flames.map((it) => [it, c.flames[it]])} chosen={flame} onChoose={setFlame} />
            <Choice
              title={w.out}
              options={[
                ['yes', w.isOut],
                ['no', w.notOut],
              ]}
              chosen={out === null ? null : out ? 'yes' : 'no'}
              onChoose={(it) => setOut(it === null ? null : it === 'yes')}
            />
            <label class="entry">
              {w.area}
              <input inputMode="decimal" value={area} onInput={(event) => setArea(event.currentTarget.value)} />
            </label>
          </>
        )}
        <label class="entry">
          {category?.code === OTHER ? w.noteNeeded : w.note}
          <textarea rows={2} maxLength={300} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
        </label>
      </div>
      <div class="dock">
        {hint && (
          <p class="dock-hint" role="alert">
            <Warning size={18} /> {hint}
          </p>
        )}
        <button type="button" class="primary green" data-primary="submit" onClick={() => void submit()}>
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
