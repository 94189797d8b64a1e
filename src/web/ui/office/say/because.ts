/** Why he was sent, or why nobody was: the server's codes (`triage/sending.rs`) in sentences. */
import { cameras } from '../../shared/board';
import { peopleOf } from '../../shared/incident';
import { common } from '../../shared/words';
import { becauseWords } from '../words/because';
import type { Because, Incident, SourceKind } from '../../shared/types';

const kindWord = (kind: string): string => common().source[kind as SourceKind] ?? kind;

/** A model without a second network is no news of this fire: `huoyan model check` says so, not every card. */
export const isNews = ({ code, value }: Because): boolean => code !== 'second_opinion_missing' || value !== 'no_verifier';

/** A code this page does not know (a newer server's) shows itself with its value. */
export function because({ code, value }: Because, incident: Incident): string {
  const w = becauseWords();
  const [first = '', second = ''] = value.split(' ');
  switch (code) {
    case 'auto':
    case 'officer_first':
    case 'digest':
      return w[code](kindWord(value));
    case 'officer_then_auto':
      return w.officer_then_auto(kindWord(first), Number(second));
    case 'low_score': {
      const [score = value, least = ''] = value.split('<').map((it) => it.trim());
      return w.low_score(score, least);
    }
    case 'grid_likeliest': {
      const share = /^(.*) (\d+%)$/.exec(value);
      return w.grid_likeliest(share?.[1] ?? value, share?.[2] ?? '');
    }
    case 'took_over':
      return w.took_over(peopleOf(incident).find((it) => it.id === value)?.name ?? value);
    case 'no_bearing':
      return w.no_bearing(cameras.peek().get(value)?.name ?? value);
    case 'second_opinion_missing':
      return w.second_opinion_missing(w.no_second_opinion[value] ?? value);
    default:
      return w.plain[code]?.(value) ?? [code.replace(/_/g, ' '), value].filter(Boolean).join(' ');
  }
}
