// Patterns of the cases. An object pattern fits an object that has at least its members; an
// array fits item by item, in full. Special patterns are objects with one member that starts
// with "$".
import { webcrypto as crypto } from 'node:crypto';

const SPECIAL = {
  $any: () => true,
  $absent: (_, value) => value === undefined,
  $type: (type, value) => (type === 'integer' ? Number.isInteger(value) : typeof value === type),
  $match: (pattern, value) => typeof value === 'string' && new RegExp(pattern, 'u').test(value),
  $greater: (than, value) => typeof value === 'number' && value > than,
  $least: (bound, value) => typeof value === 'number' && value >= bound,
  $oneOf: (patterns, value) => patterns.some((pattern) => matches(pattern, value)),
  $not: (pattern, value) => !matches(pattern, value),
  $contains: (pattern, value) => Array.isArray(value) && value.some((item) => matches(pattern, item)),
  $without: (pattern, value) => Array.isArray(value) && !value.some((item) => matches(pattern, item)),
  $all: (patterns, value) => patterns.every((pattern) => matches(pattern, value)),
};

export function matches(pattern, value) {
  if (pattern === null || typeof pattern !== 'object') return pattern === value;
  if (Array.isArray(pattern)) {
    return Array.isArray(value) && value.length === pattern.length && pattern.every((p, i) => matches(p, value[i]));
  }
  const [name, ...others] = Object.keys(pattern);
  if (name?.startsWith('$') && !others.length) {
    if (!SPECIAL[name]) throw new Error(`unknown pattern ${name}`);
    return SPECIAL[name](pattern[name], value);
  }
  if (value === null || typeof value !== 'object') return false;
  return Object.entries(pattern).every(([member, p]) => matches(p, value[member]));
}

export function explain(pattern, value) {
  return `wanted ${JSON.stringify(pattern)}, got ${JSON.stringify(value)?.slice(0, 600)}`;
}

// JSON pointer, without escapes.
export function pick(value, pointer) {
  return pointer.split('/').slice(1).reduce((at, step) => at?.[step], value);
}

const GENERATORS = {
  uuid: (name, values) => (values[`uuid:${name}`] ??= crypto.randomUUID()),
  repeat: (rest) => {
    const [text, times] = rest.split(':');
    return text.repeat(Number(times));
  },
};

function lookUp(reference, values) {
  const [kind, ...rest] = reference.split(':');
  if (rest.length && GENERATORS[kind]) return GENERATORS[kind](rest.join(':'), values);
  if (values[reference] === undefined) throw new Error(`the case knows no value "${reference}"`);
  return values[reference];
}

// Puts values in: "${name}" alone keeps the value's type, inside of text it becomes text.
export function expand(value, values) {
  if (typeof value === 'string') {
    const whole = /^\$\{([^}]+)\}$/.exec(value);
    if (whole) return lookUp(whole[1], values);
    return value.replace(/\$\{([^}]+)\}/g, (_, reference) => lookUp(reference, values));
  }
  if (Array.isArray(value)) return value.map((item) => expand(item, values));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, expand(item, values)]));
}
