// Requests of every operation of openapi.yaml, as a fast-check arbitrary.
import fc from 'fast-check';
import { broken, follow, nasty, values } from './schema.mjs';

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];
// Streams and sockets have tests of their own; signing out would end the run's cookie.
const SKIPPED = new Set(['openWebSocket']);

export function operationsOf(document) {
  return Object.entries(document.paths).flatMap(([path, item]) => METHODS
    .filter((method) => item[method] && !SKIPPED.has(item[method].operationId))
    .map((method) => ({ path, method, ...item[method],
      parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map((p) => follow(document, p)) })));
}

const token = (text) => text.replace(/[^\x20-\x7e]/g, '').trim();

// One parameter: something known or something that fits; if it is wild, perhaps something hostile.
function parameter(document, { name, in: place, schema, required }, known, isWild, collection) {
  const fits = values(document, schema ?? {}).map((value) => String(value));
  const pool = place === 'path' && name === 'id' ? known.ids[collection] : known[name];
  const good = pool?.length ? fc.oneof({ weight: isWild ? 3 : 20, arbitrary: fc.constantFrom(...pool) }, fits) : fits;
  // A long wait is no finding, only slow.
  if (name === 'wait') return isWild ? fc.constantFrom('0', '-1', 'x') : fc.constant('0');
  if (!isWild) return required || place === 'header' ? good : fc.option(good, { nil: undefined, freq: 1 });
  const any = fc.oneof({ weight: 5, arbitrary: good }, { weight: 1, arbitrary: nasty });
  return required ? any : fc.option(any, { nil: undefined, freq: 2 });
}

function body(document, { requestBody }, isWild) {
  const content = follow(document, requestBody)?.content;
  if (!content) return fc.constant(undefined);
  const kinds = Object.entries(content).map(([type, { schema }]) => {
    const write = type === 'application/json' ? JSON.stringify
      : (value) => new URLSearchParams(Object.entries(value ?? {}).map(([k, v]) => [k, String(v)])).toString();
    if (!isWild) return values(document, schema).map((value) => ({ type, text: write(value) }));
    return fc.oneof(
      { weight: 4, arbitrary: values(document, schema).map((value) => ({ type, text: write(value) })) },
      { weight: 3, arbitrary: broken(document, schema).map((value) => ({ type, text: write(value) })) },
      { weight: 1, arbitrary: nasty.map((text) => ({ type, text })) },
      { weight: 1, arbitrary: fc.constant({ type: 'text/plain', text: 'x' }) });
  });
  if (!isWild) return fc.oneof(...kinds);
  return fc.oneof({ weight: 12, arbitrary: fc.oneof(...kinds) }, { weight: 1, arbitrary: fc.constant(undefined) });
}

// A lone surrogate cannot be part of a path: UTF-8 has a character in its place.
const wellFormed = (text) => Buffer.from(String(text)).toString();

function fill(path, given) {
  return path.replace(/\{([^}]+)\}/g, (_, name) => encodeURIComponent(wellFormed(given[name])) || '%20');
}

function request(document, operation, known, secrets, isWild) {
  const record = Object.fromEntries(operation.parameters
    .map((p) => [`${p.in}:${p.name}`, parameter(document, p, known, isWild, operation.path.split('/')[2])]));
  return fc.record({
    given: fc.record(record),
    content: body(document, operation, isWild),
    secret: isWild ? fc.constantFrom(...secrets) : fc.constant(secrets.find(Boolean)),
  }).map(({ given, content, secret }) => {
    const of = (place) => Object.entries(given)
      .filter(([name, value]) => name.startsWith(`${place}:`) && value !== undefined)
      .map(([name, value]) => [name.slice(place.length + 1), value]);
    const query = new URLSearchParams(of('query')).toString();
    const headers = Object.fromEntries(of('header').map(([name, value]) => [name.toLowerCase(), token(value)]));
    if (secret) headers.authorization = `Bearer ${secret}`;
    if (content) headers['content-type'] = content.type;
    return {
      operation: operation.operationId, method: operation.method.toUpperCase(),
      path: fill(operation.path, Object.fromEntries(of('path'))) + (query ? `?${query}` : ''),
      headers, body: content?.text,
    };
  });
}

// known: values of parameters that exist, by name, and `ids` by collection; secrets: of API keys, the mightiest first, and
// undefined. One half of the requests is as the contract says, the other is wild.
export function requests(document, known, secrets) {
  return fc.oneof(...operationsOf(document).flatMap((operation) =>
    [true, false].map((isWild) => request(document, operation, known, secrets, isWild))));
}
