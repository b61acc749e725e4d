// The part of a transcript that is here: one run of entries without a hole.
import type { Entry } from '../api/types';

export interface Range {
  readonly entries: readonly Entry[];
  readonly hasEarlier: boolean;
}

export const EMPTY: Range = { entries: [], hasEarlier: true };

export const firstOf = (range: Range): number => range.entries[0]?.offset ?? 0;
export const lastOf = (range: Range): number => range.entries.at(-1)?.offset ?? 0;

// Entries that follow; null if there would be a hole between.
export function append(range: Range, news: readonly Entry[]): Range | null {
  const last = lastOf(range);
  const fresh = news.filter((entry) => entry.offset > last);
  const [first] = fresh;
  if (!first) return range;
  const isContinuous = fresh.every((entry, i) => i === 0 || entry.offset === (fresh[i - 1] as Entry).offset + 1);
  if (!isContinuous || (range.entries.length > 0 && first.offset !== last + 1)) return null;
  return { ...range, entries: [...range.entries, ...fresh] };
}

// Entries that come before.
export function prepend(range: Range, olds: readonly Entry[], hasEarlier: boolean): Range {
  const first = firstOf(range);
  return { entries: [...olds.filter((entry) => entry.offset < first), ...range.entries], hasEarlier };
}
