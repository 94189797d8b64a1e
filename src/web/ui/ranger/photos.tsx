import { useEffect, useMemo, useState } from 'preact/hooks';
import { Cross, Photo } from '../shared/icons';
import { classes } from '../shared/ui';
import { shrink } from './photo';
import { words } from './words';

const MOST = 4;

export function Photos({ photos, onChange }: { photos: Blob[]; onChange: (photos: Blob[]) => void }) {
  const w = words();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const add = async (input: HTMLInputElement): Promise<void> => {
    const files = [...(input.files ?? [])].slice(0, MOST - photos.length);
    input.value = '';
    setBusy(true);
    setFailed(false);
    try {
      onChange([...photos, ...(await Promise.all(files.map(shrink)))]);
    } catch {
      setFailed(true);
    }
    setBusy(false);
  };
  return (
    <div class="photos">
      {photos.map((photo, i) => (
        <Thumb key={i} photo={photo} onRemove={() => onChange(photos.filter((it) => it !== photo))} />
      ))}
      {photos.length < MOST && (
        <label class={classes('shoot', photos.length > 0 && 'shoot-more')}>
          <input type="file" accept="image/*" capture="environment" onChange={(event) => void add(event.currentTarget)} />
          <Photo size={28} />
          {busy ? w.photoBusy : photos.length > 0 ? w.photoMore : w.photo}
        </label>
      )}
      {failed && (
        <p class="dock-hint" role="alert">
          {w.photoFailed}
        </p>
      )}
    </div>
  );
}

function Thumb({ photo, onRemove }: { photo: Blob; onRemove: () => void }) {
  const w = words();
  const url = useMemo(() => URL.createObjectURL(photo), [photo]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return (
    <figure>
      <img src={url} alt={w.kind.photo} />
      <figcaption>{w.photoSize(Math.round(photo.size / 1000))}</figcaption>
      <button type="button" onClick={onRemove} aria-label={w.removePhoto}>
        <Cross size={18} />
      </button>
    </figure>
  );
}
