/** Big buttons of which one can be on; pressing it again takes it back. */
import { classes } from '../shared/ui';

interface Props<T extends string> {
  title: string;
  options: readonly (readonly [value: T, word: string])[];
  chosen: T | null;
  onChoose: (value: T | null) => void;
  big?: boolean;
  small?: boolean;
}

export function Choice<T extends string>({ title, options, chosen, onChoose, big, small }: Props<T>) {
  return (
    <fieldset class={classes('choice', big && 'choice-big', small && 'choice-small')}>
      <legend>{title}</legend>
      <div>
        {options.map(([value, word]) => (
          <button key={value} type="button" aria-pressed={chosen === value} data-value={value} onClick={() => onChoose(chosen === value ? null : value)}>
            {word}
          </button>
        ))}
      </div>
    </fieldset>
  );
}
