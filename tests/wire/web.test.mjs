// What the gateway serves to browsers: SDK, widget, console, as far as they were built into it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway();
const built = (path) => existsSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)));
const unless = (path) => ({ skip: built(path) ? false : `${path} was not built` });

// The body as it travelled, which fetch would unpack.
async function raw(path, headers = {}, method = 'GET') {
  return new Promise((resolve, reject) => {
    const sent = request(gateway.url + path, { method, headers }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

wireTest('what is not there is said so, in either case', async () => {
  for (const path of ['/sdk/v1/none.js', '/sdk/v1/000000000000/loader.js', '/console/none.js']) {
    const { status, headers } = await raw(path);
    assert.equal(status, 404, path);
    assert.equal(headers['content-type'], 'application/problem+json');
  }
  assert.equal((await raw('/sdk/v1/loader.js', {}, 'POST')).status, 405);
});

wireTest('every file of the SDK has its hash and a place where it never changes', async () => {
  const list = await raw('/sdk/v1/hashes.json');
  assert.equal(list.status, 200);
  const { release, files } = JSON.parse(list.body);
  assert.match(release, /^[0-9a-f]{12}$/);
  assert.ok(files['client.js'], 'the client is there');
  for (const [name, { url, integrity, bytes, gzip_bytes: packedBytes }] of Object.entries(files)) {
    assert.equal(url, `/sdk/v1/${release}/${name}`);
    const pinned = await raw(url, { origin: 'https://shop.example' });
    assert.equal(pinned.status, 200, url);
    assert.equal(pinned.headers['access-control-allow-origin'], '*');
    assert.equal(pinned.headers['cross-origin-resource-policy'], 'cross-origin');
    assert.equal(pinned.headers['x-content-type-options'], 'nosniff');
    assert.match(pinned.headers['cache-control'], /immutable/);
    assert.equal(pinned.body.length, bytes);
    assert.equal(`sha384-${createHash('sha384').update(pinned.body).digest('base64')}`, integrity);
    const current = await raw(`/sdk/v1/${name}`, { 'accept-encoding': 'br, gzip' });
    assert.doesNotMatch(current.headers['cache-control'], /immutable/);
    assert.equal(current.headers.vary, 'accept-encoding');
    if (current.headers['content-encoding'] === 'gzip') {
      assert.equal(current.body.length, packedBytes);
      assert.deepEqual(gunzipSync(current.body), pinned.body);
    }
    const again = await raw(`/sdk/v1/${name}`, { 'accept-encoding': 'gzip', 'if-none-match': current.headers.etag });
    assert.equal(again.status, 304);
    assert.equal(again.body.length, 0);
    const head = await raw(url, {}, 'HEAD');
    assert.equal(Number(head.headers['content-length']), bytes);
    assert.equal(head.body.length, 0);
  }
}, unless('sdk/js/dist'));

wireTest('the console may load only what is its own', async () => {
  const page = await raw('/console/');
  assert.equal(page.status, 200);
  assert.match(page.headers['content-type'], /^text\/html/);
  const policy = page.headers['content-security-policy'];
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*/);
  const html = page.body.toString();
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|<style|\son\w+=/i, 'nothing inline');
  for (const [, asset] of html.matchAll(/(?:src|href)="(\/console\/[^"]+)"/g)) {
    assert.equal((await raw(asset)).status, 200, asset);
  }
  const redirect = await raw('/console');
  assert.equal(redirect.status, 308);
  assert.equal(redirect.headers.location, '/console/');
}, unless('examples/console/dist'));
