/** Pure: lines of a log that were read in parts, while new ones came. */
import type { LogEntry } from '../../shared/types';

/** The newest `version` down to the first that is not at hand, newest first; and how many are older. */
export function unbroken(known: ReadonlyMap<number, LogEntry>, newest: number): { log: LogEntry[]; older: number } {
  const log: LogEntry[] = [];
  for (let version = newest; version > 0; version -= 1) {
    const line = known.get(version);
    if (!line) return { log, older: version };
    log.push(line);
  }
  return { log, older: 0 };
}
