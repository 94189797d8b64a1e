/** How this camera was proved where it stands: what is missing, and the figures. */
import { now } from '../shared/clock';
import { stamp } from '../shared/describe';
import { failedAt, proofs } from './state';
import { percentOf } from './visible';
import { words } from './words';
import type { Proof, Tests } from '../shared/types';

export const proofOf = (camera: string): Proof | null => proofs.value?.items.find((it) => it.camera === camera) ?? null;

export function ProofPane({ camera }: { camera: string }) {
  const w = words();
  const proof = proofOf(camera);
  const failed = failedAt('proof');
  if (!proof || !proofs.value) return failed ? <p class="quiet">{failed}</p> : null;
  const { days, hours_needed } = proofs.value;
  const { missing, verdicts } = proof;
  return (
    <section class="proof" data-proof={missing.length > 0 ? 'unproven' : 'figures'}>
      <h2>
        {w.proof} {missing.length > 0 && <b class="unproven">{w.unproven}</b>} <small>{w.proofHint(days)}</small>
      </h2>
      {missing.length > 0 && <p class="warning">{missing.map((it) => w.missing[it](hours_needed)).join(w.and)}</p>}
      <p>{w.watched(Math.floor(proof.hours), Math.floor(proof.hours_clean), proof.last_false_at && stamp(proof.last_false_at, now.value))}</p>
      <p>{w.verdicts(verdicts)}</p>
      <ul>
        {proof.self_tests.map((it) => (
          <li key={`${it.scale} ${it.light}`}>{line(it)}</li>
        ))}
      </ul>
    </section>
  );
}

function line({ scale, light, tests, passed, smallest_best, smallest_worst }: Tests): string {
  const w = words();
  const sizes = smallest_best === null || smallest_worst === null ? null : `${percentOf(smallest_best)}–${percentOf(smallest_worst)}`;
  return w.selfTests(w.scale[scale], w.light[light], tests, passed, sizes);
}
