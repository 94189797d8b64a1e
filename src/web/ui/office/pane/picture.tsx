/** The frame with what the model saw in it. Frames, not video: what decided is what is shown. */
import { useState } from 'preact/hooks';
import { pictureUrl, whyGone } from '../../shared/api';
import { cameras } from '../../shared/board';
import { sourceName } from '../../shared/describe';
import { Box, Left, Right, Zoom } from '../../shared/icons';
import { leading } from '../../shared/incident';
import { clockTime, ms } from '../../shared/time';
import { BoxOverlay, classes } from '../../shared/ui';
import { common } from '../../shared/words';
import { boxShown, closeUp } from '../desk';
import { words } from '../words';
import { StripPlayer } from './strip';
import type { Incident, Sighting } from '../../shared/types';

interface Shot {
  id: string;
  sighting: Sighting;
}

/** First the picture that decided, then the others as they came. */
function shots(incident: Incident): Shot[] {
  const first = leading(incident);
  const ordered = first ? [first, ...incident.sightings.filter((it) => it.id !== first.id)] : [];
  return ordered.flatMap((sighting) => sighting.pictures.map((id) => ({ id, sighting })));
}

export function Picture({ incident }: { incident: Incident }) {
  const w = words();
  const [at, setAt] = useState(0);
  const [failed, setFailed] = useState<{ id: string; gone: string } | null>(null);
  const fail = (id: string) => {
    setFailed({ id, gone: '' });
    void whyGone(id).then((gone) => setFailed((it) => (it?.id === id ? { id, gone } : it)));
  };
  const all = shots(incident);
  const shot = all[Math.min(at, all.length - 1)];
  if (!shot) return <div class="picture picture-none">{w.noPicture}</div>;
  const { source, observed_at, confidence } = shot.sighting;
  const step = (by: number) => () => setAt((at + by + all.length) % all.length);
  // The second and later pictures of a sighting are other moments: the box belongs to the first alone.
  const boxed = source.kind === 'camera' && shot.id === shot.sighting.pictures[0];
  return (
    <>
      <figure class="picture-figure">
        <div class={classes('picture', closeUp.value && 'picture-close')}>
          {failed?.id === shot.id ? (
            <p class="picture-failed" role="status">
              {failed.gone || (
                <>
                  {w.pictureFailed}{' '}
                  <button type="button" class="link" onClick={() => setFailed(null)}>
                    {common().retry}
                  </button>
                </>
              )}
            </p>
          ) : (
            <img src={pictureUrl(shot.id, closeUp.value)} alt={w.frameAt(sourceName(shot.sighting, cameras.value), clockTime(ms(observed_at)))} onError={() => fail(shot.id)} />
          )}
          {boxed && boxShown.value && !closeUp.value && failed?.id !== shot.id && <BoxOverlay bbox={source.bbox} caption={`${common().klass[source.class]} ${confidence.toFixed(2)}`} />}
        </div>
        <figcaption class="picture-bar">
          <span>{w.frameAt(sourceName(shot.sighting, cameras.value), clockTime(ms(observed_at)))}</span>
          {all.length > 1 && (
            <span class="picture-steps">
              <button type="button" class="tool" onClick={step(-1)} aria-label={w.previous} title={w.previous}>
                <Left size={13} />
              </button>
              {at + 1}/{all.length}
              <button type="button" class="tool" onClick={step(1)} aria-label={w.next} title={w.next}>
                <Right size={13} />
              </button>
            </span>
          )}
          <button type="button" class="tool" aria-pressed={boxShown.value} onClick={() => (boxShown.value = !boxShown.value)} title="B">
            <Box size={13} /> {boxShown.value ? w.boxOn : w.boxOff}
          </button>
          <button type="button" class="tool" aria-pressed={closeUp.value} onClick={() => (closeUp.value = !closeUp.value)} title="Z">
            <Zoom size={13} /> {closeUp.value ? w.wholeFrame : w.closeUp}
          </button>
        </figcaption>
      </figure>
      {source.kind === 'camera' && <StripPlayer key={shot.sighting.id} incident={incident.id} sighting={shot.sighting} />}
    </>
  );
}
