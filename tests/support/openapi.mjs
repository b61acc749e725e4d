// Answers of the HTTP routes against agent-api/openapi.yaml: the route, the status and the body
// must be in the document.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

const FILE = fileURLToPath(new URL('../../agent-api/openapi.yaml', import.meta.url));
const ID = 'openapi.yaml';
let ajv = null;
let routes = null;

function load() {
  const document = parse(readFileSync(FILE, 'utf8'));
  ajv = new Ajv2020.default({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema({ $id: ID, ...document }, ID);
  routes = Object.entries(document.paths).map(([pattern, operations]) => ({
    pattern,
    expression: new RegExp(`^${pattern.replace(/\{[^}]+\}/g, '[^/]+')}$`),
    operations,
  }));
  // The most literal route first.
  routes.sort((a, b) => a.pattern.split('{').length - b.pattern.split('{').length);
  return document;
}

const escape = (part) => encodeURIComponent(part.replace(/~/g, '~0').replace(/\//g, '~1'));

function follow(document, pointer) {
  return pointer.reduce((at, part) => at?.[part], document);
}

let document = null;
const validators = new Map();

function validatorAt(pointer) {
  const name = pointer.map(escape).join('/');
  if (!validators.has(name)) validators.set(name, ajv.compile({ $ref: `${ID}#/${name}` }));
  return validators.get(name);
}

// Where the response of a status is described, references followed.
function findResponse(pattern, method, status) {
  let pointer = ['paths', pattern, method, 'responses', String(status)];
  if (!follow(document, pointer)) pointer = ['paths', pattern, method, 'responses', 'default'];
  const found = follow(document, pointer);
  if (found?.$ref) pointer = found.$ref.split('/').slice(1);
  return follow(document, pointer) ? pointer : null;
}

export function checkApi(method, url, answer) {
  document ??= load();
  const path = url.split('?')[0];
  const route = routes.find(({ expression }) => expression.test(path));
  if (!route && (!path.startsWith('/v1/') || answer.status >= 400)) return; // a page, or nothing
  if (!route) throw new Error(`openapi.yaml has no route ${path}`);
  const what = `${method} ${route.pattern} ${answer.status}`;
  if (answer.status === 405 && !follow(document, ['paths', route.pattern, method.toLowerCase()])) return;
  const pointer = findResponse(route.pattern, method.toLowerCase(), answer.status);
  if (!pointer) throw new Error(`openapi.yaml does not describe ${what}`);
  const type = (answer.headers['content-type'] ?? '').split(';')[0];
  const described = follow(document, [...pointer, 'content']);
  if (!described) return;
  if (!described[type]) throw new Error(`openapi.yaml does not describe ${what} as ${type}`);
  if (answer.json === undefined) return;
  const validate = validatorAt([...pointer, 'content', type, 'schema']);
  if (validate(answer.json)) return;
  const why = validate.errors.map((e) => `${e.instancePath} ${e.message}`).join('; ');
  throw new Error(`${what} does not fit openapi.yaml: ${why}: ${answer.text.slice(0, 800)}`);
}

// A value against one of the document's schemas.
export function checkSchema(name, value) {
  document ??= load();
  const validate = validatorAt(['components', 'schemas', name]);
  if (validate(value)) return;
  const why = validate.errors.map((e) => `${e.instancePath} ${e.message}`).join('; ');
  throw new Error(`no ${name}: ${why}: ${JSON.stringify(value).slice(0, 400)}`);
}
