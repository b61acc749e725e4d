// Validators made out of docs/schema. Frames are checked twice as strictly as a client may: a
// member that the schemas do not name is an error here, so that nothing goes undocumented.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const FOLDER = fileURLToPath(new URL('../../docs/schema/', import.meta.url));
const OPEN = new Set(['body', 'context', 'fields', 'consent', 'problem.json', 'then', 'if']);

// Closes every object that lists its properties, except those that are free by definition.
function closeObjects(schema, name) {
  if (Array.isArray(schema)) return schema.map((item) => closeObjects(item, ''));
  if (schema === null || typeof schema !== 'object') return schema;
  const out = {};
  for (const [key, value] of Object.entries(schema)) {
    out[key] = OPEN.has(key) ? value : closeObjects(value, key);
  }
  if (schema.type === 'object' && schema.properties && !OPEN.has(name)) {
    out.additionalProperties = false;
  }
  return out;
}

function compile(isClosed) {
  const ajv = new Ajv2020.default({ strict: true, allowUnionTypes: true, strictRequired: false });
  addFormats.default(ajv);
  for (const file of readdirSync(FOLDER)) {
    const schema = JSON.parse(readFileSync(FOLDER + file, 'utf8'));
    ajv.addSchema(isClosed ? closeObjects(schema, file) : schema, file);
  }
  return ajv;
}

const closed = compile(true);
export const schemaFiles = readdirSync(FOLDER);
export const openSchemas = compile(false);

function assertValid(schema, value, what) {
  const validate = closed.getSchema(schema);
  if (!validate) throw new Error(`${what}: there is no schema ${schema}`);
  if (validate(value)) return;
  const why = validate.errors.map((e) => `${e.instancePath} ${e.message}`).join('; ');
  throw new Error(`${what} does not fit ${schema}: ${why}: ${JSON.stringify(value)}`);
}

export function checkServerFrame(frame) {
  assertValid(`server-frames.json#/$defs/${frame?.t}`, frame, 'frame from the gateway');
}

export function checkClientFrame(frame) {
  assertValid(`client-frames.json#/$defs/${frame?.t}`, frame, 'frame of the client');
}

export function checkFeedFrame(frame) {
  assertValid(`feed-frames.json#/$defs/${frame?.t}`, frame, 'frame of the feed');
}

export function checkPollRequest(body) {
  for (const frame of body.frames ?? []) checkClientFrame(frame);
  assertValid('poll-request.json', body, 'poll');
}

export function checkPollAnswer(body) {
  for (const frame of body.frames ?? []) checkServerFrame(frame);
  assertValid('poll-answer.json', body, 'answer of a poll');
}

export const checkProblem = (body) => assertValid('problem.json', body, 'problem');
export const checkEnquiryAnswer = (body) =>
  assertValid('enquiry-answer.json', body, 'answer to an enquiry');
