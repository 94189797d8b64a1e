/** Other incidents that are, or could be, the same fire. */
import { useEffect } from 'preact/hooks';
import { codeOf, isTownship, loadIncident } from '../../shared/board';
import { act, select } from '../desk';
import { codeOr } from '../say/people';
import { words } from '../words';
import type { Incident } from '../../shared/types';

export function Kin({ incident }: { incident: Incident }) {
  const w = words();
  const { links, merged, merged_into, split_from, state } = incident;
  const open = state !== 'closed' && !isTownship.value;
  const others = [...links, ...merged, merged_into, split_from].filter((it): it is string => it !== null);
  // Closed ones are not on the board: read, so that they can be called by their number.
  useEffect(() => others.filter((id) => codeOf(id) === null).forEach((id) => void loadIncident(id)), [others.join()]);
  if (others.length === 0) return null;
  return (
    <ul class="kin" aria-label={w.kin}>
      {merged_into && (
        <li>
          <span>{w.ledBy(codeOr(merged_into))}</span> <Open id={merged_into} /> {open && <Unmerge incident={incident} other={merged_into} />}
        </li>
      )}
      {links.map((other) => (
        <li key={other} data-link={other}>
          <span>{w.maybeSame(codeOr(other))}</span> <Open id={other} />
          {open && !merged_into && (
            <button type="button" class="tool" onClick={() => act(incident, 'merge', { other }, w.mergeWith(codeOr(other)))}>
              {w.merge}
            </button>
          )}
        </li>
      ))}
      {merged.map((other) => (
        <li key={other} data-merged={other}>
          <span>{w.mergedHere(codeOr(other))}</span> <Open id={other} /> {open && <Unmerge incident={incident} other={other} />}
        </li>
      ))}
      {split_from && (
        <li>
          <span>{w.splitFrom(codeOr(split_from))}</span> <Open id={split_from} />
        </li>
      )}
    </ul>
  );
}

function Open({ id }: { id: string }) {
  return (
    <button type="button" class="tool" onClick={() => select(id)} aria-label={words().openCode(codeOr(id))}>
      {words().open}
    </button>
  );
}

function Unmerge({ incident, other }: { incident: Incident; other: string }) {
  const w = words();
  return (
    <button type="button" class="tool" onClick={() => act(incident, 'unmerge', { other }, w.unmergeFrom(codeOr(other)))}>
      {w.unmerge}
    </button>
  );
}
