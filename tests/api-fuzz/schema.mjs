// Values for a JSON Schema of openapi.yaml, as fast-check arbitraries: good ones, and ones that
// are wrong somewhere. Knows the keywords that the file uses.
import fc from 'fast-check';

const DEPTH_MAX = 6;

// Texts that programs have fallen over before.
export const nasty = fc.constantFrom('', ' ', '\u0000', '\u202eabc', '\ud800', '../../etc/passwd', "' OR 1=1 --",
  '%00', '{{7*7}}', '<script>alert(1)</script>', 'NaN', '-1', '9007199254740993', '💥'.repeat(64),
  'a'.repeat(5000), '"quoted" AND NEAR(', '*', 'null', 'true', '\r\nX-Injected: 1');

const junk = fc.oneof(fc.anything({ maxDepth: 2, withBigInt: false }), nasty,
  fc.constantFrom(null, true, -1, 0, 1.5, 1e308, [], {}, [[[[]]]]));

export function follow(document, schema) {
  let at = schema;
  while (at?.$ref) at = at.$ref.split('/').slice(1).reduce((o, part) => o[part], document);
  return at ?? {};
}

function text(schema) {
  const { pattern, minLength = 0, maxLength = 60 } = schema;
  if (pattern) return fc.stringMatching(new RegExp(pattern));
  if (schema.format === 'date-time') {
    return fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((d) => d.toISOString());
  }
  if (schema.format === 'email') return fc.emailAddress();
  return fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, 80)), unit: 'grapheme' });
}

function object(document, schema, depth) {
  const required = schema.required ?? [];
  const members = Object.entries(schema.properties ?? {})
    .map(([name, inner]) => [name, values(document, inner, depth + 1)]);
  const known = fc.record(Object.fromEntries(members),
    { requiredKeys: required.filter((name) => schema.properties?.[name]) });
  const more = schema.additionalProperties;
  if (typeof more !== 'object') return known;
  const extra = fc.dictionary(fc.string({ minLength: 1, maxLength: 12 }), values(document, more, depth + 1), { maxKeys: 4 });
  return fc.tuple(extra, known).map(([a, b]) => ({ ...a, ...b }));
}

function typed(document, schema, type, depth) {
  const { minimum, maximum } = schema;
  switch (type) {
    case 'string': return text(schema);
    case 'integer': return fc.integer({ min: minimum ?? 0, max: Math.min(maximum ?? 100000, 2 ** 31 - 1) });
    case 'number': return fc.double({ min: minimum ?? -1e6, max: maximum ?? 1e6, noNaN: true });
    case 'boolean': return fc.boolean();
    case 'null': return fc.constant(null);
    case 'array': return fc.array(values(document, schema.items ?? {}, depth + 1), { maxLength: Math.min(schema.maxItems ?? 3, 3) });
    default: return object(document, schema, depth);
  }
}

// What fits the schema.
export function values(document, raw, depth = 0) {
  const schema = follow(document, raw);
  if (depth > DEPTH_MAX) return fc.constant(null);
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return fc.oneof(...choices.map((one) => values(document, one, depth)));
  if (schema.allOf) {
    return fc.tuple(...schema.allOf.map((one) => values(document, one, depth))).map((all) => Object.assign({}, ...all));
  }
  const types = [schema.type ?? 'object'].flat();
  return fc.oneof(...types.map((type) => typed(document, schema, type, depth)));
}

// The same with one thing wrong in it: a member lost, one too many, or of another kind.
export function broken(document, raw) {
  return fc.tuple(values(document, raw), junk, nasty, fc.nat(), fc.nat(3)).map(([value, bad, name, n, how]) => {
    if (value === null || typeof value !== 'object' || Array.isArray(value) || how === 0) return bad;
    const names = Object.keys(value);
    const one = names[n % Math.max(1, names.length)];
    const { [one]: _, ...without } = value;
    if (how === 1) return without;
    if (how === 2) return { ...value, [one ?? 'x']: bad };
    return { ...value, [name]: bad };
  });
}
