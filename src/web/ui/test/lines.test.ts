import { describe, expect, it } from 'vitest';
import { unbroken } from '../office/say/lines';
import type { LogEntry } from '../shared/types';

const line = (version: number): [number, LogEntry] => [version, { version } as LogEntry];
const range = (from: number, to: number): [number, LogEntry][] => Array.from({ length: to - from + 1 }, (_, n) => line(from + n));

describe('a log read in parts', () => {
  it('shows no line beyond one that is missing, and asks for the missing ones', () => {
    // 101–200 and 1–100 were read; thirty came, and the newest hundred are 131–230.
    const known = new Map([...range(1, 100), ...range(131, 230)]);
    const { log, older } = unbroken(known, 230);
    expect([log.length, log[0]?.version, log[99]?.version, older]).toEqual([100, 230, 131, 130]);
    const { log: whole, older: none } = unbroken(new Map([...known, ...range(31, 130)]), 230);
    expect([whole.length, none]).toEqual([230, 0]);
  });
});
