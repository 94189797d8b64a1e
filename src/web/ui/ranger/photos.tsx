import { useEffect, useMemo, useState } from 'preact/hooks';
import { Cross, Photo } from '../shared/icons';
import { classes } from '../shared/ui';
import { shrink } from './photo';
import { words } from './words';
import type { Item } from './outbox/item';

const MOST = 4;

interface Props {
  photos: readonly Item[];
  onAdd: (photo: Blob) => void;
  onRemove: (photo: Item) => void;
}

export function Photos({ photos, onAdd, onRemove }: Props) {
  return (
    <div class="photos">
      {photos.map((item) => item.photo && <Thumb key={item.key} photo={item.photo} onRemove={() => onRemove(item)} />)}
      <Shoot taken={photos.length} onPhoto={onAdd} />
    </div>
  );
}

/** Each photo is handed on as soon as it is read: one that cannot be read costs no other. */
export function Shoot({ taken, onPhoto, word }: { taken: number; onPhoto: (photo: Blob) => void; word?: string }) {
  const w = words();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const add = async (input: HTMLInputElement): Promise<void> => {
    const files = [...(input.files ?? [])].slice(0, MOST - taken);
    input.value = '';
    setBusy(true);
    setFailed(false);
    await Promise.all(files.map((file) => shrink(file).then(onPhoto, () => setFailed(true))));
    setBusy(false);
  };
  return (
    <>
      {taken < MOST && (
        <label class={classes('shoot', (taken > 0 || word) && 'shoot-more')}>
          <input type="file" accept="image/*" capture="environment" onChange={(event) => void add(event.currentTarget)} />
          <Photo size={28} />
          {busy ? w.photoBusy : (word ?? (taken > 0 ? w.photoMore : w.photo))}
        </label>
      )}
      {failed && (
        <p class="dock-hint" role="alert">
          {w.photoFailed}
        </p>
      )}
    </>
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
