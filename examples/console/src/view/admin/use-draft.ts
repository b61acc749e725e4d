// A thing of the directory while it is edited. What a colleague changed meanwhile is never overwritten
// unseen: the gateway refuses (412), and who it was is told.
import { useEffect, useState } from 'preact/hooks';
import { objects, type Kept, type ObjectKind } from '../../api/objects';
import { isEmpty, patchOf } from '../../api/patch';
import { isProblem } from '../../api/problem';
import type { AuditEntry } from '../../api/types';
import { tell } from '../../state/toasts';
import { useApp } from '../use-app';

const PRESENCE = new Set(['availability', 'online', 'updated_at', 'etag']);

export interface Conflict<T> {
  theirs: T;
  change: AuditEntry | undefined;
}

export interface Draft<T> {
  value: T;
  set: (part: Partial<T>) => void;
  isChanged: boolean;
  conflict: Conflict<T> | null;
  save: () => Promise<void>;
  takeTheirs: () => void;
  keepMine: () => Promise<void>;
}

// A colleague who went away or came back has a new ETag; nobody edited anything.
function isOnlyPresence(before: object, after: object): boolean {
  return Object.keys(patchOf(before, after)).every((name) => PRESENCE.has(name));
}

export function useDraft<T extends Kept>(kind: ObjectKind, given: T, onSaved: (saved: T) => void): Draft<T> {
  const { client } = useApp();
  const [base, setBase] = useState(given);
  const [value, setValue] = useState(given);
  const [conflict, setConflict] = useState<Conflict<T> | null>(null);
  const patch = patchOf(base, value);
  const begin = (object: T): void => {
    setBase(object);
    setValue(object);
    setConflict(null);
  };
  useEffect(() => {
    if (given.etag !== base.etag && isEmpty(patch)) begin(given);
  }, [given.etag]);
  const saveUnder = async (etag: string): Promise<void> => {
    try {
      const saved = await objects.change<T>(client, kind, { id: base.id, etag }, patch);
      begin(saved);
      onSaved(saved);
      tell('Saved.', 'good');
    } catch (error) {
      if (!isProblem(error) || error.status !== 412) throw error;
      const [theirs, change] = await Promise.all([
        objects.get<T>(client, kind, base.id),
        objects.lastChange(client, kind, base.id).catch(() => undefined),
      ]);
      if (isOnlyPresence(base, theirs)) await saveUnder(theirs.etag);
      else setConflict({ theirs, change });
    }
  };
  return {
    value,
    set: (part) => setValue((now) => ({ ...now, ...part })),
    isChanged: !isEmpty(patch),
    conflict,
    save: () => saveUnder(base.etag),
    takeTheirs: () => {
      if (!conflict) return;
      begin(conflict.theirs);
      onSaved(conflict.theirs);
    },
    keepMine: async () => {
      if (conflict) await saveUnder(conflict.theirs.etag);
    },
  };
}
