// JSON merge patch (RFC 7396): only what was changed, so that a colleague's change of something else stays.

type Tree = Record<string, unknown>;

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

export function patchOf(before: object, after: object): Tree {
  const patch: Tree = {};
  for (const [name, value] of Object.entries(after)) {
    const old = (before as Tree)[name];
    if (isSame(old, value)) continue;
    patch[name] = isTree(old) && isTree(value) ? patchOf(old, value) : value;
  }
  for (const name of Object.keys(before)) if (!(name in after)) patch[name] = null;
  return patch;
}

export const isEmpty = (patch: Tree): boolean => Object.keys(patch).length === 0;
