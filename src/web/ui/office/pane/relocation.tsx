/** The evidence says another place while somebody is on the way: old and new, and the officer's word. */
import { Warning } from '../../shared/icons';
import { isTownship } from '../../shared/board';
import { where } from '../../shared/where';
import { act, openPanel, panel } from '../desk';
import { words } from '../words';
import type { Incident } from '../../shared/types';

export function Relocation({ incident }: { incident: Incident }) {
  const w = words();
  const { proposal, place, dispatch } = incident;
  const asked = incident.waiting.some((it) => it.matter === 'relocation');
  // The place has moved already and who goes is the question: the server then proposes the place it has.
  const elsewhere = proposal && (proposal.place.grid !== place.grid || proposal.place.name !== place.name || where({ ...incident, fix: proposal.fix }) !== where(incident));
  if (!proposal && !asked) return null;
  const answer = (accept: boolean, what: string): void => act(incident, 'relocate', { accept }, what);
  return (
    <div class="relocation" role="group" aria-label={w.relocation}>
      <p>
        <Warning size={15} /> <b>{elsewhere ? w.relocationProposed : w.relocationDone}</b>
      </p>
      {elsewhere ? (
        <dl>
          <div>
            <dt>{w.oldPlace}</dt>
            <dd>{`${place.name} · ${where(incident)}`}</dd>
          </div>
          <div>
            <dt>{w.newPlace}</dt>
            <dd>
              <b>{proposal.place.name}</b> {`· ${where({ ...incident, fix: proposal.fix })}`}
            </dd>
          </div>
        </dl>
      ) : (
        <p>{w.relocationWho(dispatch?.ranger.name ?? '')}</p>
      )}
      {isTownship.value && <p class="dim">{w.countyDecides}</p>}
      {!isTownship.value && (
      <div class="buttons">
        {elsewhere ? (
          <>
            <button type="button" class="button" data-relocate="accept" onClick={() => answer(true, w.relocateAccept)}>
              {w.relocateAccept}
            </button>
            <button type="button" class="button" data-relocate="keep" onClick={() => answer(false, w.relocateKeep)}>
              {w.relocateKeep}
            </button>
          </>
        ) : (
          <>
            <button type="button" class="button" data-relocate="keep" onClick={() => answer(false, w.relocateSame)}>
              {w.relocateSame}
            </button>
            <button type="button" class="button" aria-expanded={panel.value === 'dispatch'} onClick={() => openPanel('dispatch')}>
              {w.reassign}
            </button>
          </>
        )}
      </div>
      )}
    </div>
  );
}
